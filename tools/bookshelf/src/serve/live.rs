//! The transcript of a run as it comes: the same figure, and the same lines in it, as the book's own (`directives/output.rs`).

use manifest::Lab;
use transcript::Line;

use crate::directives::output;
use crate::run::Voices;

/// The figure that the lines of a run come to stand in: only its caption and its lanes.
pub(super) fn figure(lab: &Lab, voices: &Voices) -> String {
    let number = lab.number();
    output::figure(voices, &format!("What lab {number} prints here"), &format!("Lab {number}, run here"), "", "")
}

/// The lines of a run. They have no anchors: the book's own lines have them.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The heading above the facts is there.
    in_facts: bool,
}

impl Lines {
    /// The next line, and what stands before it.
    pub(super) fn next(&mut self, voices: &Voices, line: &Line) -> String {
        match line {
            Line::Step { step, title } => {
                let gap = if *step == 1 { "" } else { "&#10;" };
                gap.to_owned() + &output::title(*step, title, "")
            }
            Line::Say { .. } | Line::Arrow { .. } => output::spoken(voices, line, ""),
            Line::Fact { fact, value } => {
                let first = !std::mem::replace(&mut self.in_facts, true);
                (if first { output::FACTS } else { "" }).to_owned() + &output::fact_line(fact, value, "")
            }
        }
    }
}
