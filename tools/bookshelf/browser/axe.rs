//! axe-core on every page. It is a file of JavaScript from npm, looked for where `FORKLORE_AXE` says, or below `target/tools`.

use std::fs;
use std::path::PathBuf;

use harness::root;
use serde_json::Value;

use super::driver::Tab;
use super::reading::{chapters, prefer};
use super::served::shelf::Served;

fn path() -> PathBuf {
    let beside = || root().join("target/tools/node_modules/axe-core/axe.min.js");
    std::env::var_os("FORKLORE_AXE").map_or_else(beside, PathBuf::from)
}

/// Why it cannot be run, if it cannot.
pub(crate) fn missing() -> Option<String> {
    let get = "npm install --prefix target/tools axe-core";
    (!path().is_file()).then(|| format!("axe-core is not installed: {get}"))
}

pub(crate) fn source() -> String {
    fs::read_to_string(path()).expect("axe-core")
}

pub(crate) fn light(tab: &Tab, book: &Served, axe: &str) {
    on_every_page(tab, book, axe, "light");
}

pub(crate) fn dark(tab: &Tab, book: &Served, axe: &str) {
    on_every_page(tab, book, axe, "dark");
}

fn on_every_page(tab: &Tab, book: &Served, axe: &str, scheme: &str) {
    let chapters = chapters(tab, book);
    prefer(tab, scheme);
    let mut found = Vec::new();
    for chapter in &chapters {
        tab.open(chapter);
        found.extend(violations(tab, axe).into_iter().map(|violation| format!("{chapter}: {violation}")));
    }
    assert!(found.is_empty(), "in the {scheme} theme axe found\n{}", found.join("\n"));
}

/// With everything that a run brings into a page: the question, the transcript, the answer.
pub(crate) fn running(tab: &Tab, book: &Served, axe: &str) {
    for scheme in ["light", "dark"] {
        prefer(tab, scheme);
        tab.open(&super::reading::address(book, "labs/04-eaddrinuse.html"));
        tab.until("document.querySelector('.run-here button')");
        tab.click(".run-here .run-button");
        assert_eq!(violations(tab, axe), [""; 0], "at the question, {scheme}");
        tab.click(".run-here .run-question li:nth-child(2) label");
        tab.click(".run-here .run-button");
        tab.until("document.querySelector('.run-here[data-state=done]')");
        tab.until("document.querySelector('figure.diagram[data-run=here] .drawing .sequence')");
        assert_eq!(violations(tab, axe), [""; 0], "after the run, {scheme}");
    }
}

/// What axe has to say about the page, one sentence for each place.
fn violations(tab: &Tab, axe: &str) -> Vec<String> {
    tab.run(&format!("if (!window.axe) {{ {axe} }}"));
    let found = tab.promised("axe.run({ resultTypes: ['violations'] }).then((results) => results.violations)");
    assert!(found["failed"].is_null(), "{found}");
    let places = |violation: &Value| -> Vec<String> {
        let nodes = violation["nodes"].as_array().cloned().unwrap_or_default();
        nodes
            .iter()
            .map(|node| format!("{}: {} ({})", violation["id"], node["target"], node["failureSummary"]))
            .collect()
    };
    found.as_array().map(|all| all.iter().flat_map(places).collect()).unwrap_or_default()
}
