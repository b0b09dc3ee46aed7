//! The facts of a run, compared with those that the book shows.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::run::Run;

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

/// Compares the facts of a run with those of the book's.
pub(super) fn compare(book: &Run, here: &Run) -> Verdict {
    let (book, here): (Vec<_>, Vec<_>) = (book.facts().collect(), here.facts().collect());
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
    use transcript::{Line, Record};

    use super::*;

    #[test]
    fn differing_missing_and_new_facts_are_told() {
        let run = |facts: &[(&str, &str)]| {
            let fact = |(fact, value): &(&str, &str)| Line::Fact { fact: (*fact).into(), value: (*value).into() };
            let records = facts.iter().map(|one| Record { us: 1, pid: 1, line: fact(one), source: None });
            Run::seen(&records.collect::<Vec<_>>())
        };
        let here = run(&[("a", "1"), ("b", "x: y"), ("d", "4")]);
        let row = |fact: &str, book: Option<&str>, here: Option<&str>| Different {
            fact: fact.into(),
            book: book.map(Into::into),
            here: here.map(Into::into),
        };
        let different = vec![row("b", Some("2"), Some("x: y")), row("c", Some("3"), None), row("d", None, Some("4"))];
        assert_eq!(compare(&run(&[("a", "1"), ("b", "2"), ("c", "3")]), &here), Verdict { count: 3, different });
        assert_eq!(compare(&here, &here), Verdict { count: 3, different: vec![] });
    }
}
