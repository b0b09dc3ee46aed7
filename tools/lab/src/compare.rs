//! A lab and its Node original, their facts in a table.

use std::collections::BTreeMap;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use manifest::Difference;
use manifest::programs::Node;
use serde::{Serialize, Serializer};
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
    verdict: Verdict,
    /// The declared reason of a difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Equal,
    /// The values are those that the manifest declares.
    DiffersAsExpected,
    /// The manifest declares other values.
    NotAsDeclared,
    Different,
    MissingInNode,
    MissingInRust,
}

impl Verdict {
    const FAILURES: [Verdict; 4] =
        [Verdict::Different, Verdict::NotAsDeclared, Verdict::MissingInNode, Verdict::MissingInRust];

    fn words(self) -> &'static str {
        match self {
            Verdict::Equal => "equal",
            Verdict::DiffersAsExpected => "differs, as expected",
            Verdict::NotAsDeclared => "not as declared",
            Verdict::Different => "different",
            Verdict::MissingInNode => "missing in Node",
            Verdict::MissingInRust => "missing in Rust",
        }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.words())
    }
}

pub(crate) fn both(catalogue: &Catalogue, lab: &Lab, options: &Options) -> Result<Ending, Failure> {
    let original = run::original(lab)?;
    let program = Node::find().map_err(|error| Failure::missing(error.to_string()))?;
    let executable = build::lab(catalogue, lab)?;
    let mut progress = Progress::new();
    progress.show("running it in Rust …");
    let rust = facts(Program::new(executable).arguments(options.arguments(true)))?;
    progress.show("running it in Node …");
    let node = facts(Program::new(&program.path).arguments([original]).arguments(options.arguments(true)))?;
    drop(progress);

    let rows = compare(&rust.facts, &node.facts, &lab.differs);
    let (name, version) = (&lab.name, &program.version);
    terminal::print(&match options.json {
        true => format!("{{\"lab\":\"{name}\",\"versions\":{{\"node\":\"{version}\"}}}}\n{}", json(&rows)),
        false => table(&rows, version, Page::of_stdout()),
    })?;
    for (side, ending) in [("Rust", rust.ending), ("Node", node.ending)] {
        if ending != Ending::SUCCESS {
            let sentence = format!("the run in {side} did not reach its end: {ending}");
            return Err(Failure::Told { code: 1, sentence });
        }
    }
    let summary = summary(&rows).map_err(|sentence| Failure::Told { code: 1, sentence })?;
    if !options.json {
        terminal::print(&summary)?;
    }
    Ok(Ending::SUCCESS)
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

/// Compares all facts: Rust's in its order, then those that only Node states, then those that only the manifest knows.
fn compare(rust: &[(String, String)], node: &[(String, String)], declared: &[Difference]) -> Vec<Compared> {
    let by_name = |facts: &[(String, String)]| facts.iter().cloned().collect::<BTreeMap<_, _>>();
    let (in_rust, in_node) = (by_name(rust), by_name(node));
    let mut facts: Vec<&String> = Vec::new();
    for fact in rust.iter().chain(node).map(|(fact, _)| fact).chain(declared.iter().map(|difference| &difference.fact))
    {
        if !facts.contains(&fact) {
            facts.push(fact);
        }
    }
    let row = |fact: &String| {
        let (rust, node) = (in_rust.get(fact).cloned(), in_node.get(fact).cloned());
        let difference = declared.iter().find(|difference| difference.fact == *fact);
        let verdict = match (&rust, &node, difference) {
            (Some(rust), Some(node), Some(known)) if (rust, node) == (&known.rust, &known.node) => {
                Verdict::DiffersAsExpected
            }
            (_, _, Some(_)) => Verdict::NotAsDeclared,
            (None, ..) => Verdict::MissingInRust,
            (_, None, _) => Verdict::MissingInNode,
            _ if rust == node => Verdict::Equal,
            _ => Verdict::Different,
        };
        let because = difference.map(|difference| difference.because.clone());
        Compared { fact: fact.clone(), rust, node, verdict, because }
    };
    facts.into_iter().map(row).collect()
}

/// Returns the closing sentence.
///
/// # Errors
///
/// The sentence about all facts that are neither equal nor different as declared.
fn summary(rows: &[Compared]) -> Result<String, String> {
    let names = |verdict| rows.iter().filter(move |row| row.verdict == verdict).map(|row| format!("{:?}", row.fact));
    let count = |verdict| names(verdict).count();
    let (equal, expected) = (count(Verdict::Equal), count(Verdict::DiffersAsExpected));
    let failures = Verdict::FAILURES.into_iter().filter(|verdict| count(*verdict) > 0);
    let failures =
        failures.map(|verdict| format!("{} {}", verdict.words(), names(verdict).collect::<Vec<_>>().join(", ")));
    let failures: Vec<String> = failures.collect();
    if rows.is_empty() {
        return Err("neither run stated a fact".to_owned());
    }
    if !failures.is_empty() {
        let wrong = rows.len() - equal - expected;
        return Err(format!("{wrong} of {} facts not as expected: {}", rows.len(), failures.join("; ")));
    }
    let equal = if equal == 1 { "1 fact is equal".to_owned() } else { format!("{equal} facts are equal") };
    Ok(match expected {
        0 => format!("{equal}.\n"),
        1 => format!("{equal}, 1 differs as expected.\n"),
        _ => format!("{equal}, {expected} differ as expected.\n"),
    })
}

fn table(rows: &[Compared], version: &str, page: Page) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(page.width).unwrap_or(80));
    table.set_header(["fact", "Rust", &format!("Node {version}"), "verdict"]);
    for Compared { fact, rust, node, verdict, because } in rows {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(missing)".to_owned());
        let words = match (verdict, because) {
            (Verdict::DiffersAsExpected, Some(because)) => format!("{}: {because}", verdict.words()),
            (failure, _) if Verdict::FAILURES.contains(failure) => verdict.words().to_uppercase(),
            _ => verdict.words().to_owned(),
        };
        table.add_row([fact.clone(), value(rust), value(node), words]);
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

    fn declared(fact: &str, rust: &str, node: &str) -> Difference {
        let [fact, rust, node] = [fact, rust, node].map(str::to_owned);
        Difference { fact, rust, node, because: "it was written that way".to_owned() }
    }

    #[test]
    fn differing_and_missing_facts_are_told_apart() {
        let (rust, node) = ([("a", "1"), ("b", "2"), ("c", "3")], [("d", "4"), ("b", "x"), ("a", "1")]);
        let rows = compare(&facts(&rust), &facts(&node), &[]);
        let told = "3 of 4 facts not as expected: different \"b\"; missing in Node \"c\"; missing in Rust \"d\"";
        assert_eq!(summary(&rows), Err(told.to_owned()));
        assert_eq!(json(&rows[..1]), "{\"fact\":\"a\",\"rust\":\"1\",\"node\":\"1\",\"verdict\":\"equal\"}\n");
        assert_eq!(summary(&rows[..1]), Ok("1 fact is equal.\n".to_owned()));
    }

    #[test]
    fn a_declared_difference_is_expected_and_nothing_else_in_its_place() {
        type Facts<'a> = [(&'a str, &'a str); 2];
        let compared = |rust: Facts<'_>, node: Facts<'_>, declared| compare(&facts(&rust), &facts(&node), &[declared]);
        let (rust, node) = ([("a", "1"), ("lost", "0")], [("a", "1"), ("lost", "5")]);
        let rows = compared(rust, node, declared("lost", "0", "5"));
        assert_eq!(summary(&rows), Ok("1 fact is equal, 1 differs as expected.\n".to_owned()));
        assert!(
            json(&rows).ends_with("\"verdict\":\"differs, as expected\",\"because\":\"it was written that way\"}\n")
        );
        let shown = table(&rows, "24.0.0", Page { coloured: false, width: 120 });
        assert!(shown.contains("differs, as expected: it was written that way"), "{shown}");

        for (rust, node, declared) in [
            (rust, rust, declared("lost", "0", "5")),
            (node, rust, declared("lost", "0", "5")),
            (rust, node, declared("lost", "0", "6")),
            (rust, node, declared("gained", "0", "5")),
        ] {
            let told = summary(&compared(rust, node, declared)).expect_err("not as declared");
            assert!(told.contains("not as declared"), "{told}");
        }
    }

    #[test]
    fn long_values_wrap_inside_the_page() {
        let long = "the same long value again and again ".repeat(5);
        let stated = facts(&[("the name of a fact", &long)]);
        let rows = compare(&stated, &stated, &[]);
        let table = table(&rows, "24.0.0", Page { coloured: false, width: 80 });
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        assert!(summary(&rows).is_ok() && summary(&[]).is_err());
    }
}
