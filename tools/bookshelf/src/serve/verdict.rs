//! The facts of a run, compared with those that the book shows.

use std::collections::BTreeMap;

use serde::Serialize;
use transcript::{Line, Record};

use crate::expected::Expected;

/// How the facts of a run compare with the book's.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Verdict {
    /// How many facts the book shows.
    count: usize,
    /// Those that differ, or that only one of the two states.
    different: Vec<Different>,
}

/// A fact on which the run and the book do not agree; `None` where it is not stated.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Different {
    fact: String,
    book: Option<String>,
    here: Option<String>,
}

/// Compares the facts of `records` with those that are expected.
pub(super) fn compare(expected: &Expected, records: &[Record]) -> Verdict {
    let book: Vec<(&str, &str)> = expected.facts.iter().map(|fact| (fact.name.as_str(), fact.value.as_str())).collect();
    let here = records.iter().filter_map(|record| match &record.line {
        Line::Fact { fact, value } => Some((fact.as_str(), value.as_str())),
        _ => None,
    });
    let here: Vec<(&str, &str)> = here.collect();
    let by_name = |facts: &[(&'_ str, &'_ str)]| -> BTreeMap<String, String> {
        facts.iter().map(|(fact, value)| ((*fact).to_owned(), (*value).to_owned())).collect()
    };
    let (in_book, in_run) = (by_name(&book), by_name(&here));
    let only_here = here.iter().filter(|(fact, _)| !in_book.contains_key(*fact));
    let row = |(fact, _): &(&str, &str)| {
        let (book, here) = (in_book.get(*fact).cloned(), in_run.get(*fact).cloned());
        (book != here).then(|| Different { fact: (*fact).to_owned(), book, here })
    };
    Verdict { count: book.len(), different: book.iter().chain(only_here).filter_map(row).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differing_missing_and_new_facts_are_told() {
        let fact = |fact: &str, value: &str| Line::Fact { fact: fact.into(), value: value.into() };
        let records = [fact("a", "1"), fact("b", "x: y"), fact("d", "4")].map(|line| Record {
            us: 1,
            pid: 1,
            line,
            source: None,
        });
        let expected = |text: &str| Expected::parse(text).expect("a transcript");
        let verdict = compare(&expected("1. Step\n   a  says\n\nFacts\n   a: 1\n   b: 2\n   c: 3\n"), &records);
        let row = |fact: &str, book: Option<&str>, here: Option<&str>| Different {
            fact: fact.into(),
            book: book.map(Into::into),
            here: here.map(Into::into),
        };
        let different = vec![row("b", Some("2"), Some("x: y")), row("c", Some("3"), None), row("d", None, Some("4"))];
        assert_eq!(verdict, Verdict { count: 3, different });
        assert_eq!(
            compare(&expected("Facts\n   a: 1\n   b: x: y\n   d: 4\n"), &records),
            Verdict { count: 3, different: vec![] }
        );
    }
}
