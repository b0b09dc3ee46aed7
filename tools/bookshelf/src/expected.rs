//! A lab's `expected.txt`, taken apart into steps, lines and facts.

use crate::colours::is_first;

/// What a lab prints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) steps: Vec<Step>,
    pub(crate) facts: Vec<Fact>,
    /// The width of the column of voices, in characters.
    pub(crate) width: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// From 1.
    pub(crate) number: u32,
    pub(crate) title: String,
    pub(crate) lines: Vec<Spoken>,
}

/// A line that a process says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spoken {
    pub(crate) voice: String,
    /// The kind of arrow and the voice that it goes to, if the line is one.
    pub(crate) arrow: Option<(String, String)>,
    pub(crate) text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Expected {
    /// The parts of a transcript in text.
    ///
    /// # Errors
    ///
    /// The line that is none of a transcript.
    pub(crate) fn parse(text: &str) -> Result<Expected, String> {
        let mut expected = Expected { width: width(text), ..Expected::default() };
        let mut in_facts = false;
        for line in text.lines() {
            match line.strip_prefix("   ") {
                _ if line.is_empty() => {}
                None if line == "Facts" => in_facts = true,
                None => {
                    let step = line.split_once(". ").and_then(|(n, title)| Some((n.parse().ok()?, title.to_owned())));
                    let (number, title) = step.ok_or_else(|| format!("{line:?} begins no step"))?;
                    expected.steps.push(Step { number, title, lines: Vec::new() });
                }
                Some(fact) if in_facts => {
                    let (name, value) = fact.split_once(": ").ok_or_else(|| format!("{line:?} is no fact"))?;
                    expected.facts.push(Fact { name: name.to_owned(), value: value.to_owned() });
                }
                Some(spoken) => {
                    let step = expected.steps.last_mut().ok_or_else(|| format!("{line:?} stands before all steps"))?;
                    step.lines.push(Spoken::parse(spoken, expected.width));
                }
            }
        }
        Ok(expected)
    }

    pub(crate) fn step(&self, number: u32) -> Option<&Step> {
        self.steps.iter().find(|step| step.number == number)
    }

    /// Those who speak: `parent` or `primary`, then the others in the order of their first line.
    pub(crate) fn voices(&self) -> Vec<&str> {
        let mut voices: Vec<&str> = Vec::new();
        for line in self.steps.iter().flat_map(|step| &step.lines) {
            let to = line.arrow.as_ref().map(|(_, to)| to.as_str());
            for voice in std::iter::once(line.voice.as_str()).chain(to) {
                if !voices.contains(&voice) {
                    voices.push(voice);
                }
            }
        }
        voices.sort_by_key(|voice| !is_first(voice));
        voices
    }
}

impl Spoken {
    fn parse(line: &str, width: usize) -> Spoken {
        let (voice, text) = split_at_column(line, width);
        let voice = voice.trim_end().to_owned();
        let arrow = text.strip_prefix("──").and_then(|rest| {
            let (kind, rest) = rest.split_once("──▶ ")?;
            let (to, text) = rest.split_once("  ")?;
            Some(((kind.to_owned(), to.to_owned()), text.to_owned()))
        });
        match arrow {
            Some((arrow, text)) => Spoken { voice, arrow: Some(arrow), text },
            None => Spoken { voice, arrow: None, text: text.to_owned() },
        }
    }

    /// All of its words, without the column of voices: `──handle──▶ child 1  server`.
    pub(crate) fn words(&self) -> String {
        match &self.arrow {
            Some((kind, to)) => format!("──{kind}──▶ {to}  {}", self.text),
            None => self.text.clone(),
        }
    }
}

/// The voice and the text behind it.
fn split_at_column(line: &str, width: usize) -> (&str, &str) {
    let end = line.char_indices().nth(width).map_or(line.len(), |(at, _)| at);
    let (voice, rest) = line.split_at(end);
    (voice, rest.strip_prefix("  ").unwrap_or(rest))
}

/// The width of the column of voices, two spaces before the text of every line. A text may itself begin with spaces, but not all do.
fn width(text: &str) -> usize {
    let steps = text.split("\nFacts\n").next().unwrap_or_default();
    let spoken = steps.lines().filter_map(|line| line.strip_prefix("   "));
    let start_of_text = |line: &str| {
        let (voice, rest) = line.split_once("  ")?;
        let padding = rest.len() - rest.trim_start_matches(' ').len();
        Some(voice.chars().count() + padding)
    };
    spoken.filter_map(start_of_text).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "1. First\n   parent   says\n   child 1  ──handle──▶ parent  server\n   parent     indented\n\n2. Second\n   parent   \
                        a  b\n\nFacts\n   who: a: b\n";

    #[test]
    fn a_transcript_comes_apart() {
        let expected = Expected::parse(TEXT).expect("a transcript");
        assert_eq!((expected.width, expected.steps.len(), expected.voices()), (7, 2, vec!["parent", "child 1"]));
        let lines = &expected.steps[0].lines;
        assert_eq!(lines[1].arrow, Some(("handle".into(), "parent".into())));
        assert_eq!((lines[1].text.as_str(), lines[2].text.as_str()), ("server", "  indented"));
        assert_eq!(expected.steps[1].lines[0].text, "a  b");
        assert_eq!(expected.facts, [Fact { name: "who".into(), value: "a: b".into() }]);
        assert!(Expected::parse("nothing of the kind\n").is_err());
    }

    /// Put together again, every `expected.txt` is what it was.
    #[test]
    fn the_labs_of_this_repository_come_apart_without_loss() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the repository");
        let catalogue = crate::catalogue::Catalogue::open(root).expect("the labs");
        assert!(!catalogue.labs.is_empty());
        for lab in catalogue.labs {
            let text =
                std::fs::read_to_string(root.join("labs").join(&lab.name).join("expected.txt")).expect("it was read");
            let mut steps: Vec<String> = Vec::new();
            for step in &lab.expected.steps {
                let lines = step
                    .lines
                    .iter()
                    .map(|line| format!("   {:width$}  {}\n", line.voice, line.words(), width = lab.expected.width));
                steps.push(format!("{}. {}\n{}", step.number, step.title, lines.collect::<String>()));
            }
            let facts = lab.expected.facts.iter().map(|fact| format!("   {}: {}\n", fact.name, fact.value));
            let again = format!("{}\nFacts\n{}", steps.join("\n"), facts.collect::<String>());
            assert_eq!(again, text, "{}", lab.name);
        }
    }
}
