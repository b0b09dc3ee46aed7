//! The question before a run, with an answer for each language.

use serde::Deserialize;

/// What a learner is asked before a run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Declared")]
pub struct Prediction {
    /// The question.
    pub question: String,
    /// What the learner chooses from.
    pub choices: Vec<String>,
    /// The answer that the run in Rust shows.
    pub rust: Answer,
    /// The answer that the run in Node shows. Mostly the same.
    pub node: Answer,
}

/// What a run shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The number of the right choice, from 1.
    pub choice: usize,
    /// The reason, in one or more sentences.
    pub because: String,
}

impl Prediction {
    /// Returns the words of the choice that is right by this answer.
    pub fn chosen(&self, answer: &Answer) -> &str {
        &self.choices[answer.choice - 1]
    }
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    question: String,
    choices: Vec<String>,
    answer: usize,
    because: String,
    node: Option<DeclaredForNode>,
}

/// What is different in Node.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredForNode {
    answer: Option<usize>,
    because: Option<String>,
}

impl TryFrom<Declared> for Prediction {
    type Error = String;

    fn try_from(declared: Declared) -> Result<Prediction, String> {
        let Declared { question, choices, answer, because, node } = declared;
        let rust = Answer { choice: answer, because };
        let node = match node {
            None => rust.clone(),
            Some(node) => {
                let choice = node.answer.unwrap_or(rust.choice);
                let differing = Answer { choice, because: node.because.unwrap_or_else(|| rust.because.clone()) };
                if differing == rust {
                    return Err("Node's answer does not differ: leave its table out".to_owned());
                }
                differing
            }
        };
        match [&rust, &node].iter().find(|answer| !(1..=choices.len()).contains(&answer.choice)) {
            Some(Answer { choice, .. }) => Err(format!("there is no choice {choice}: they are numbered from 1")),
            None => Ok(Prediction { question, choices, rust, node }),
        }
    }
}
