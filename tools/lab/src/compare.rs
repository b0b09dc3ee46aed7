//! A lab and its Node original, their facts in a table.

use std::collections::BTreeMap;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;
use transcript::{Line, Record};

use crate::build;
use crate::catalogue::{Catalogue, Lab};
use crate::failure::{Ending, Failure};
use crate::options::Options;
use crate::program::Program;
use crate::run;
use crate::terminal::{self, Page, Progress};

/// A fact as each side states it; `None` where it does not.
#[derive(Debug, Serialize)]
struct Compared {
    fact: String,
    rust: Option<String>,
    node: Option<String>,
    equal: bool,
}

pub(crate) fn both(catalogue: &Catalogue, lab: &Lab, options: &Options) -> Result<Ending, Failure> {
    let original = run::original(lab)?;
    let executable = build::lab(catalogue, lab)?;
    let mut progress = Progress::new();
    progress.show("running it in Rust …");
    let rust = facts(Program::new(executable).arguments(options.arguments(true)))?;
    progress.show("running it in Node …");
    let node = facts(Program::new("node").arguments([original]).arguments(options.arguments(true)))?;
    drop(progress);

    let rows = compare(&rust.facts, &node.facts);
    terminal::print(&if options.json { json(&rows) } else { table(&rows, Page::of_stdout()) })?;
    for (side, ending) in [("Rust", rust.ending), ("Node", node.ending)] {
        if ending != Ending::SUCCESS {
            let sentence = format!("the run in {side} did not reach its end: {ending}");
            return Err(Failure::Told { code: 1, sentence });
        }
    }
    match verdict(&rows) {
        Some(sentence) => Err(Failure::Told { code: 1, sentence }),
        None if options.json => Ok(Ending::SUCCESS),
        None => {
            terminal::print(&format!("All {} facts are equal.\n", rows.len()))?;
            Ok(Ending::SUCCESS)
        }
    }
}

/// What one side stated, in its order, and how it ended.
struct Side {
    facts: Vec<(String, String)>,
    ending: Ending,
}

fn facts(program: Program) -> Result<Side, Failure> {
    let mut output = Vec::new();
    let ending = program.take_stdout().run(|_, bytes| output.extend_from_slice(bytes))?;
    let facts = String::from_utf8_lossy(&output)
        .lines()
        .filter_map(|line| match Record::from_json(line).ok()?.line {
            Line::Fact { fact, value } => Some((fact, value)),
            _ => None,
        })
        .collect();
    Ok(Side { facts, ending })
}

/// All facts: Rust's in its order, then those that only Node states.
fn compare(rust: &[(String, String)], node: &[(String, String)]) -> Vec<Compared> {
    let by_name = |facts: &[(String, String)]| facts.iter().cloned().collect::<BTreeMap<_, _>>();
    let (in_rust, in_node) = (by_name(rust), by_name(node));
    let only_node = node.iter().filter(|(fact, _)| !in_rust.contains_key(fact));
    let row = |(fact, _): &(String, String)| {
        let (rust, node) = (in_rust.get(fact).cloned(), in_node.get(fact).cloned());
        Compared { equal: rust == node, fact: fact.clone(), rust, node }
    };
    rust.iter().chain(only_node).map(row).collect()
}

/// What is wrong, if anything is.
fn verdict(rows: &[Compared]) -> Option<String> {
    if rows.is_empty() {
        return Some("neither run stated a fact".to_owned());
    }
    let unequal: Vec<&Compared> = rows.iter().filter(|row| !row.equal).collect();
    let named = |chosen: fn(&Compared) -> bool, what: &str| {
        let names = unequal.iter().filter(|row| chosen(row)).map(|row| format!("{:?}", row.fact));
        let names: Vec<String> = names.collect();
        (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
    };
    let kinds = [
        named(|row| row.rust.is_some() && row.node.is_some(), "different"),
        named(|row| row.node.is_none(), "missing in Node"),
        named(|row| row.rust.is_none(), "missing in Rust"),
    ];
    let kinds: Vec<String> = kinds.into_iter().flatten().collect();
    (!kinds.is_empty()).then(|| format!("{} of {} facts not equal: {}", unequal.len(), rows.len(), kinds.join("; ")))
}

fn table(rows: &[Compared], page: Page) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(page.width).unwrap_or(80));
    table.set_header(["fact", "Rust", "Node", "equal?"]);
    for row in rows {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(missing)".to_owned());
        let equal = if row.equal { "yes" } else { "NO" };
        table.add_row([row.fact.clone(), value(&row.rust), value(&row.node), equal.to_owned()]);
    }
    format!("{table}\n")
}

fn json(rows: &[Compared]) -> String {
    let line = |row| serde_json::to_string(row).map(|line| line + "\n").unwrap_or_default();
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(facts: &[(&str, &str)]) -> Vec<(String, String)> {
        facts.iter().map(|(fact, value)| ((*fact).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn differing_and_missing_facts_are_told_apart() {
        let rows =
            compare(&facts(&[("a", "1"), ("b", "2"), ("c", "3")]), &facts(&[("d", "4"), ("b", "x"), ("a", "1")]));
        let verdict = verdict(&rows).expect("not equal");
        assert_eq!(verdict, "3 of 4 facts not equal: different \"b\"; missing in Node \"c\"; missing in Rust \"d\"");
        assert_eq!(json(&rows[..1]), "{\"fact\":\"a\",\"rust\":\"1\",\"node\":\"1\",\"equal\":true}\n");
    }

    #[test]
    fn long_values_wrap_inside_the_page() {
        let long = "the same long value again and again ".repeat(5);
        let rows = compare(&facts(&[("the name of a fact", &long)]), &facts(&[("the name of a fact", &long)]));
        let table = table(&rows, Page { coloured: false, width: 80 });
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        assert!(verdict(&rows).is_none() && verdict(&[]).is_some());
    }
}
