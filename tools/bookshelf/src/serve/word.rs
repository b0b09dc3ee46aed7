//! What a page is told about its run: one line of JSON after the other (`application/x-ndjson`).

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use transcript::Record;

use crate::diagram::Diagram;

use super::verdict::Verdict;

/// One line. Each is an object with a member that says what it is: `compiling`, `figure`, `record`, `end`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Word {
    /// How far the compiler is.
    Compiling(String),
    /// The lab is started: where its lines will stand, as HTML.
    Figure(String),
    /// The last line.
    End(Ending),
    /// A line of the transcript, and the same as HTML.
    #[serde(untagged)]
    Line { html: String, record: Record },
}

impl Word {
    pub(super) fn to_line(&self) -> Bytes {
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line.into()
    }
}

/// Why a run was ended before its own end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    PageGone,
    Cancelled,
    TimeIsUp,
}

/// How a run ended.
#[derive(Debug, Default, Serialize)]
pub(super) struct Ending {
    /// One sentence about it.
    sentence: String,
    /// The exit code of the lab; none when it was not started.
    code: Option<i32>,
    /// Whether the lab came to its own end: only then is there something to compare and to draw.
    complete: bool,
    /// Whether the reader ended it.
    cancelled: bool,
    /// What the lab, or the compiler, said on stderr; only when it failed.
    stderr: String,
    /// How its facts compare with the book's.
    facts: Option<Verdict>,
    /// The run as each diagram of its chapter shows it, by the steps that it shows.
    diagrams: BTreeMap<String, Diagram>,
}

impl Ending {
    /// The lab ran until it ended by itself.
    pub(super) fn of_itself(code: i32, stderr: String, facts: Verdict, diagrams: BTreeMap<String, Diagram>) -> Ending {
        let well = code == 0;
        let sentence = if well { "It ran to its end." } else { "It could not do its work." };
        Ending {
            sentence: sentence.into(),
            code: Some(code),
            complete: well,
            cancelled: false,
            stderr: if well { String::new() } else { stderr },
            facts: well.then_some(facts),
            diagrams: if well { diagrams } else { BTreeMap::new() },
        }
    }

    /// Somebody, or the clock, ended it.
    pub(super) fn unwanted(why: Why, code: i32, limit: Duration) -> Ending {
        let sentence = match why {
            Why::Cancelled => "Cancelled: it was ended, and everything that it had started.".to_owned(),
            Why::PageGone => "Its page has gone.".to_owned(),
            Why::TimeIsUp => {
                format!("Its {} s were over: it was ended, and everything that it had started.", limit.as_secs())
            }
        };
        Ending { sentence, code: Some(code), cancelled: why == Why::Cancelled, ..Ending::default() }
    }

    pub(super) fn does_not_compile(code: i32, stderr: String) -> Ending {
        let sentence = format!("It does not compile: cargo ended with code {code}.");
        Ending { sentence, stderr, ..Ending::default() }
    }

    pub(super) fn trouble(sentence: String) -> Ending {
        Ending { sentence, ..Ending::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_line_whatever_it_holds() {
        let line = Word::Compiling("a\nb".into()).to_line();
        assert_eq!(line, "{\"compiling\":\"a\\nb\"}\n");
        let line = Word::End(Ending::unwanted(Why::TimeIsUp, 143, Duration::from_secs(10))).to_line();
        let line = String::from_utf8(line.to_vec()).expect("text");
        assert!(line.contains("Its 10 s were over") && line.contains("\"complete\":false"), "{line}");
    }
}
