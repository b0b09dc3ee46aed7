//! The transcript of a run as it comes: the same figure, and the same lines in it, as the book's own (`directives/output.rs`).

use transcript::Line;

use crate::catalogue::Lab;
use crate::directives::output;
use crate::expected::Spoken;
use crate::html::text;

/// The figure that the lines of a run come to stand in: only its caption and its lanes.
pub(super) fn figure(lab: &Lab) -> String {
    let number = lab.number();
    output::figure(lab, &format!("What lab {number} prints here"), &format!("Lab {number}, run here"), "", "")
}

/// The lines of a run. They have no anchors: the book's own lines have them.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The heading above the facts is there.
    in_facts: bool,
}

impl Lines {
    /// The next line, and what stands before it.
    pub(super) fn next(&mut self, lab: &Lab, line: &Line) -> String {
        let say = |voice: &str, arrow: Option<(String, String)>, text: &str| {
            output::spoken(lab, &Spoken { voice: voice.to_owned(), arrow, text: text.to_owned() }, "")
        };
        match line {
            Line::Step { step, title } => {
                let gap = if *step == 1 { "" } else { "&#10;" };
                format!("{gap}<span class=\"line title\">{step}. {}</span>&#10;", text(title))
            }
            Line::Say { voice, text } => say(voice, None, text),
            Line::Arrow { arrow, from, to, text } => say(from, Some((arrow.name().to_owned(), to.clone())), text),
            Line::Fact { fact, value } => {
                let first = !std::mem::replace(&mut self.in_facts, true);
                let heading = if first { "&#10;<span class=\"line title facts\">Facts</span>&#10;" } else { "" };
                format!("{heading}<span class=\"line fact\">{}: <b>{}</b></span>&#10;", text(fact), text(value))
            }
        }
    }
}
