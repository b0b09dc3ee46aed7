//! The report as Markdown.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::figure::{Figure, TO};
use crate::read::Measurements;
use crate::rows::ALL;
use crate::target::TargetRow;

/// The groups in the order in which they are shown; others come after them.
const ORDER: [&str; 16] = [
    "fork_cost",
    "exec_cost",
    "memory, idle",
    "ipc_round_trip",
    "ipc_one_way",
    "ipc_object_round_trip",
    "ipc_object_one_way",
    "handle_passing",
    "scheduling",
    "serving",
    "latency, keep-alive",
    "latency, a connection per request",
    "processor time, keep-alive",
    "processor time, a connection per request",
    "memory of servers, idle",
    "memory of servers, after load",
];

/// A chart of a group, made already.
pub(crate) struct Picture {
    pub(crate) group: String,
    pub(crate) file: String,
}

/// The groups of these results, in order.
pub(crate) fn groups(results: &Measurements) -> Vec<String> {
    let groups: BTreeSet<_> = results.figures.iter().map(|figure| figure.group.clone()).collect();
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|group| ORDER.iter().position(|known| known == group).unwrap_or(ORDER.len()));
    groups
}

/// All of it. `over` are the results of another run.
pub(crate) fn page(results: &Measurements, pictures: &[Picture], over: Option<&Measurements>) -> String {
    let mut text = String::from(INTRODUCTION);
    let _ = write!(text, "Taken on {} (UTC).\n\n{}\n## Targets\n\n", results.taken, machine(results));
    text.push_str(&targets(results));
    let left_out: Vec<_> = results.missing.iter().map(|one| format!("{}: {}", one.contestant, one.reason)).collect();
    if !left_out.is_empty() {
        let _ = write!(text, "\nLeft out: {}.\n", left_out.join("; "));
    }
    if let Some(over) = over {
        let _ = write!(text, "\nLaid over it, in the tables as “before”: a run of {} (UTC).\n\n", over.taken);
        text.push_str(&machine(over));
    }
    for group in groups(results) {
        let _ = write!(text, "\n## {}\n\n", title(&group));
        for picture in pictures.iter().filter(|picture| picture.group == group) {
            let _ = writeln!(text, "![{}; the figures are in the table]({})\n", title(&group), picture.file);
        }
        text.push_str(&figures(results, &group, over));
    }
    text
}

const INTRODUCTION: &str = "# Benchmarks

Written by `just bench-report`; `just bench` takes the figures. Each is the median of several rounds, with the least and the greatest round
in parentheses. In a round everything that is compared has its turn, and a ratio is the median of the rounds' ratios. What counts are the
ratios: the figures are those of one machine on one day.

";

fn title(group: &str) -> String {
    let mut title = group.replace("ipc_", "channel, ").replace('_', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}

fn machine(results: &Measurements) -> String {
    let rows = results.machine.properties.iter().map(|(name, value)| format!("| {name} | {value} |\n"));
    format!("| the machine | |\n|---|---|\n{}", rows.collect::<String>())
}

/// Every target, compared with the results.
pub(crate) fn rows(results: &Measurements) -> Vec<TargetRow> {
    ALL.iter().map(|target| target.row(results)).collect()
}

fn targets(results: &Measurements) -> String {
    let mut table = String::from(
        "| what | limit | ours | compared with | ratio | target | reached |\n|---|---|---|---|---|---|---|\n",
    );
    for TargetRow { what, limit, ours, peer, ratio, target, reached, .. } in rows(results) {
        let reached = match reached {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "–",
        };
        let _ = writeln!(table, "| {what} | {limit} | {ours} | {peer} | {ratio} | {target} | {reached} |");
    }
    table
}

/// The table in the README.
pub(crate) fn short(results: &Measurements) -> String {
    let mut table = String::from("| what | ours | compared with | ratio | target |\n|---|---|---|---|---|\n");
    for TargetRow { what, ours, peer, ratio, target, reached, .. } in
        ALL.iter().filter(|one| one.short).map(|one| one.row(results))
    {
        let Some(reached) = reached else { continue };
        let reached = if reached { "" } else { ", not reached" };
        let _ = writeln!(table, "| {what} | {ours} | {peer} | {ratio} | {target}{reached} |");
    }
    table
}

/// The functions of a group, as rows, and its parameters, as columns. Where these speak of several things (`primary, resident`, `worker,
/// resident`) each has a table of its own.
fn figures(results: &Measurements, group: &str, over: Option<&Measurements>) -> String {
    let parameters = results.figures.iter().filter(|figure| figure.group == group).map(|figure| &*figure.parameter);
    let parameters = distinct(parameters);
    let thing = |parameter: &str| parameter.split_once(", ").map_or(String::new(), |(thing, _)| thing.to_owned());
    let tables = parameters.chunk_by(|a, b| thing(a) == thing(b)).map(|columns| table(results, group, columns, over));
    tables.collect::<Vec<_>>().join("\n")
}

fn table(results: &Measurements, group: &str, parameters: &[&str], over: Option<&Measurements>) -> String {
    let functions = distinct(results.figures.iter().filter(|one| one.group == group).map(|figure| &*figure.function));
    let heads: String = parameters.iter().map(|parameter| format!(" {parameter} |")).collect();
    let mut table = format!("| |{heads}\n|---|{}\n", "---|".repeat(parameters.len()));
    for function in functions {
        let cell = |parameter: &&str| {
            let Some(figure) = results.find(group, function, parameter) else { return " – |".to_owned() };
            let before = over.and_then(|over| over.find(group, function, parameter));
            let before = before.map(|before| format!("; before {}", shown(before))).unwrap_or_default();
            format!(" {}{before} |", shown(figure))
        };
        let _ = writeln!(table, "| {function} |{}", parameters.iter().map(cell).collect::<String>());
    }
    table
}

fn shown(figure: &Figure) -> String {
    let spread = figure.spread();
    let [median, least, greatest] = [spread.median, spread.least, spread.greatest].map(|value| figure.unit.show(value));
    if least == greatest { median } else { format!("{median} ({least}{TO}{greatest})") }
}

/// Each once, in the order in which they come.
pub(crate) fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}
