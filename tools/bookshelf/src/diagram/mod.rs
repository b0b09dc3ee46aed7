//! A run as a sequence diagram: a lane for each process, drawn, and the same in words.
//!
//! | file | what it holds |
//! |---|---|
//! | `scene.rs` | what is shown: steps, notes, arrows, starts and exits, the repeated ones folded |
//! | `draw.rs` | a scene as HTML that the style sheet lays out as a grid |
//! | `words.rs` | a scene as a list in words |

mod draw;
mod scene;
mod words;

use std::ops::RangeInclusive;

use serde::Serialize;

use crate::run::Run;
use scene::Scene;

/// A drawing and its words, as HTML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Diagram {
    pub(crate) drawing: String,
    /// The same in words: the items of a list.
    pub(crate) words: String,
}

/// The diagram of these steps of a run; of all, if none are given.
pub(crate) fn diagram(run: &Run, steps: Option<&RangeInclusive<u32>>) -> Diagram {
    let scene = Scene::of(run, steps);
    Diagram { drawing: draw::drawing(&scene), words: words::list(&scene) }
}

#[cfg(test)]
mod tests {
    use recording::{Event, Exit, Header, Language, Recording, What};
    use transcript::{ArrowKind, Line};

    use super::*;

    fn line(pid: u32, line: Line) -> Event {
        Event { us: 0, pid, what: What::Line { line, source: None } }
    }

    fn arrow(arrow: ArrowKind, from: &str, to: &str, text: &str) -> Event {
        line(1, Line::Arrow { arrow, from: from.into(), to: to.into(), text: text.into() })
    }

    /// A child that speaks and one that does not, of which only the first one's exit is told.
    fn events() -> Vec<Event> {
        let starts = |starts| Event { us: 0, pid: 1, what: What::Starts { starts } };
        let program = Event { us: 0, pid: 3, what: What::Program { program: "cat".into() } };
        let exits = |pid| Event { us: 0, pid, what: What::Exit { exit: Exit::Code(0) } };
        vec![
            line(1, Line::Step { step: 1, title: "It begins; with <two>".into() }),
            line(1, Line::Say { voice: "parent".into(), text: "pid 1".into() }),
            starts(2),
            line(2, Line::Say { voice: "child".into(), text: "one".into() }),
            line(2, Line::Say { voice: "child".into(), text: "two".into() }),
            arrow(ArrowKind::Handle, "parent", "child", "server"),
            exits(2),
            arrow(ArrowKind::Exit, "child", "parent", "code 0"),
            line(1, Line::Step { step: 2, title: "Another one".into() }),
            starts(3),
            program,
            exits(3),
            arrow(ArrowKind::Message, "child", "parent", "{\"ok\":true}"),
            arrow(ArrowKind::Signal, "parent", "parent", "SIGTERM"),
            line(1, Line::Fact { fact: "a".into(), value: "b".into() }),
        ]
    }

    fn run(events: Vec<Event>) -> Run {
        let versions = std::collections::BTreeMap::new();
        let header = Header { format: 1, lab: "lab".into(), language: Language::Rust, versions };
        Run::of(Recording { header, events })
    }

    /// The elements of a drawing: class, place (rows and columns of the grid) and what is in them.
    fn elements(drawing: &str) -> Vec<String> {
        let parts = drawing.split("<div class=\"").skip(2);
        let part = |part: &str| {
            let part = part.replace("</div>", "").replace("\" style=\"grid-area:", " ").replace("\">", " ");
            part.replace("<span>", "").replace("</span>", "|")
        };
        parts.map(part).collect()
    }

    #[test]
    fn a_lane_begins_where_its_process_starts_and_ends_where_it_exits() {
        let varies = "<span class=\"varies\" title=\"a process's number: varies between runs 1|";
        let pid = |number: u32| {
            let varies = varies.replace(" 1|", &format!(" {number}|"));
            format!("<small>pid {varies}</small>")
        };
        assert_eq!(
            elements(&diagram(&run(events()), None).drawing),
            [
                format!("head voice-blue 1/1/2/3 parent{}", pid(1)),
                "band 2/1/3/7 1. It begins; with &lt;two&gt;".into(),
                format!("note voice-blue at-left 3/1/4/5 pid {varies}|"),
                "arrow kind-start rightward voice-blue to-head 4/2/5/4 start|".into(),
                format!("head voice-green 4/3/5/5 child{}", pid(2)),
                "note voice-green 5/1/6/7 one|two|".into(),
                "arrow kind-handle rightward voice-blue 6/2/7/4 handle: server|".into(),
                "arrow kind-exit leftward voice-green 7/2/8/4 exit: code 0|".into(),
                "band 8/1/9/7 2. Another one".into(),
                "arrow kind-start rightward voice-blue to-head 9/2/10/6 start|".into(),
                format!("head voice-green 9/5/10/7 cat{}", pid(3)),
                "arrow kind-message leftward voice-green 10/2/11/6 {&quot;ok&quot;:true}|".into(),
                "end voice-green 11/5/12/7 code 0".into(),
                "arrow kind-signal to-itself voice-blue 12/2/13/3 signal: SIGTERM|".into(),
                "life voice-blue 2/2/13/3 ".into(),
                "life voice-green 5/4/8/5 ".into(),
                "life voice-green 10/6/11/7 ".into(),
            ]
        );
    }

    /// What began before has its name at the top, and what goes on has no end.
    #[test]
    fn a_diagram_of_some_steps_begins_with_those_that_are_there_and_take_part() {
        let mut events = events();
        // The first child ends in step 2, and nothing is said of it.
        events.remove(7);
        events[6..9].rotate_left(1);
        let drawn = elements(&diagram(&run(events), Some(&(2..=2))).drawing);
        let heads: Vec<&str> = drawn.iter().filter(|one| one.starts_with("head")).map(|one| &one[..24]).collect();
        assert_eq!(heads, ["head voice-blue 1/1/2/3 ", "head voice-green 3/3/4/5"]);
    }

    #[test]
    fn a_run_is_told_in_words() {
        let (parent, child) = ("<b class=\"voice voice-blue\">parent</b>", "<b class=\"voice voice-green\">child</b>");
        let cat = child.replace(">child<", ">cat<");
        let wanted = format!(
            "<li value=\"1\"><p>It begins; with &lt;two&gt;</p><ul><li>{parent}: pid {}</li><li>{parent} starts {child}</li>\
             <li>{child}: one; two</li><li>{parent} sends {child} a handle: server</li>\
             <li>{child} ends, and {parent} learns how: code 0</li></ul></li>\
             <li value=\"2\"><p>Another one</p><ul><li>{parent} starts {cat}</li>\
             <li>{cat} sends {parent} a message: {{&quot;ok&quot;:true}}</li><li>{cat} ends: code 0</li>\
             <li>{parent} sends {parent} a signal: SIGTERM</li></ul></li>",
            "<span class=\"varies\" title=\"a process's number: varies between runs\">1</span>"
        );
        assert_eq!(diagram(&run(events()), None).words, wanted);
    }
}
