//! A run of a lab as a sequence diagram: for mermaid, and the same in words.
//!
//! | file | what it holds |
//! |---|---|
//! | `scene.rs` | what is shown: steps, notes and arrows, the repeated ones folded |
//! | `mermaid.rs` | a scene as mermaid's source |
//! | `words.rs` | a scene as a list in words |

mod mermaid;
mod scene;
mod words;

use std::ops::RangeInclusive;

use serde::Serialize;
use transcript::Record;

use crate::colours::name_of;
use scene::Scene;

/// A drawing and its words, as a page needs them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Diagram {
    /// mermaid's source.
    pub(crate) mermaid: String,
    /// The names of the processes' colours, from left to right.
    pub(crate) lanes: Vec<String>,
    /// The kind of each arrow, in their order, and the colour of who sends it: `handle/blue`.
    pub(crate) arrows: Vec<String>,
    /// What each note is, in their order: `step`, `fold`, or the name of the colour of who says it.
    pub(crate) notes: Vec<String>,
    /// The same in words: the items of a list, as HTML.
    pub(crate) words: String,
}

/// The diagram of these steps of a run; of all, if none are given.
pub(crate) fn diagram(records: &[Record], steps: Option<RangeInclusive<u32>>) -> Diagram {
    let scene = Scene::of(records, steps);
    Diagram {
        mermaid: mermaid::source(&scene),
        lanes: scene.voices.iter().map(|voice| name_of(voice)).collect(),
        arrows: scene.arrows().map(|arrow| format!("{}/{}", arrow.kind.name(), name_of(&arrow.from))).collect(),
        notes: scene.notes(),
        words: words::list(&scene),
    }
}

#[cfg(test)]
mod tests {
    use transcript::{ArrowKind, Line};

    use super::*;

    fn records() -> Vec<Record> {
        let arrow = |arrow, from: &str, to: &str, text: &str| Line::Arrow {
            arrow,
            from: from.into(),
            to: to.into(),
            text: text.into(),
        };
        let say = |voice: &str, text: &str| Line::Say { voice: voice.into(), text: text.into() };
        let lines = [
            Line::Step { step: 1, title: "It begins; with <two>".into() },
            say("child 1", "I am here"),
            arrow(ArrowKind::Handle, "parent", "child 1", "server"),
            arrow(ArrowKind::Message, "child 1", "parent", "{\"ok\":true}"),
            say("parent", "one"),
            say("parent", "two"),
            arrow(ArrowKind::Exit, "child 1", "parent", "code 0"),
            Line::Fact { fact: "a".into(), value: "b".into() },
        ];
        lines.map(|line| Record { us: 1, pid: 1, line, source: None }).into()
    }

    #[test]
    fn a_run_is_drawn() {
        let drawn = diagram(&records(), None);
        let wanted = "sequenceDiagram\nparticipant p0 as parent\nparticipant p1 as child 1\n\
            Note over p0,p1: 1. It begins#59; with #60;two#62;\nNote over p1: I am here\np0-->>p1: handle: server\n\
            p1->>p0: {\"ok\":true}\nNote over p0: • one<br/>• two\np1--xp0: exit: code 0\n";
        assert_eq!(drawn.mermaid, wanted);
        assert_eq!(drawn.lanes, ["blue", "green"]);
        assert_eq!(drawn.arrows, ["handle/blue", "message/green", "exit/green"]);
        assert_eq!(drawn.notes, ["step", "green", "blue"]);
    }

    #[test]
    fn a_run_is_told_in_words() {
        let (parent, child) =
            ("<b class=\"voice voice-blue\">parent</b>", "<b class=\"voice voice-green\">child 1</b>");
        let wanted = format!(
            "<li value=\"1\"><p>It begins; with &lt;two&gt;</p><ul><li>{child}: I am here</li>\
             <li>{parent} sends {child} a handle: server</li>\
             <li>{child} sends {parent} a message: {{&quot;ok&quot;:true}}</li><li>{parent}: one; two</li>\
             <li>{child} ends, and {parent} learns how: code 0</li></ul></li>"
        );
        assert_eq!(diagram(&records(), None).words, wanted);
    }
}
