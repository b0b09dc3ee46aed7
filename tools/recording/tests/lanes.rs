//! Which process each line of a transcript is about, in small runs.

use recording::lanes::Lanes;
use recording::{Event, Exit, Signal, What};
use transcript::{ArrowKind, Line};

fn event(pid: u32, what: What) -> Event {
    Event { us: 0, pid, what }
}

fn starts(pid: u32, child: u32, program: &str) -> [Event; 2] {
    let program = event(child, What::Program { program: program.to_owned() });
    [event(pid, What::Starts { starts: child }), program]
}

fn exits(pid: u32) -> Event {
    event(pid, What::Exit { exit: Exit::Code(0) })
}

fn says(pid: u32, voice: &str, text: &str) -> Event {
    event(pid, What::Line { line: Line::Say { voice: voice.into(), text: text.into() }, source: None })
}

fn arrow(pid: u32, arrow: ArrowKind, from: &str, to: &str) -> Event {
    let line = Line::Arrow { arrow, from: from.into(), to: to.into(), text: String::new() };
    event(pid, What::Line { line, source: None })
}

/// The names of all lanes, and of those that each line is about.
fn names(events: &[Event]) -> (Vec<String>, Vec<String>) {
    let lanes = Lanes::of(events);
    let name = |lane: usize| lanes.all()[lane].name.clone();
    let lines = (0..events.len()).filter_map(|at| {
        let (from, to) = lanes.of_line(at)?;
        Some(to.map_or_else(|| name(from), |to| format!("{} → {}", name(from), name(to))))
    });
    (lanes.all().iter().map(|lane| lane.name.clone()).collect(), lines.collect())
}

/// As lab 00: `child` is each of four processes.
#[test]
fn a_voice_that_several_processes_share_is_the_one_that_is_meant() {
    let mut events = vec![event(1, What::Program { program: "lab".into() }), says(1, "parent", "I am here")];
    events.extend(starts(1, 2, "lab"));
    events.extend([says(2, "child", "so am I"), exits(2)]);
    events.extend(starts(1, 3, "cat"));
    // What cat wrote is read when it has ended.
    events.extend([arrow(1, ArrowKind::Message, "parent", "child"), exits(3)]);
    events.push(arrow(1, ArrowKind::Message, "child", "parent"));
    events.extend(starts(1, 4, "sleep"));
    let killed = Signal { signal: "SIGKILL".into(), from: Some(1), stops: false };
    events.extend([event(4, What::Signal(killed)), exits(4), arrow(1, ArrowKind::Signal, "parent", "child")]);
    // Said before it is done.
    events.push(arrow(1, ArrowKind::Start, "parent", "child"));
    events.extend(starts(1, 5, "lab"));
    events.extend([arrow(1, ArrowKind::Exit, "child", "parent"), says(1, "child", "relayed"), exits(5)]);
    events.push(arrow(1, ArrowKind::Exit, "child", "parent"));
    let (all, lines) = names(&events);
    assert_eq!(all, ["parent", "child 1", "cat", "sleep", "child 2"]);
    assert_eq!(
        lines,
        [
            "parent",
            "child 1",
            "parent → cat",
            "cat → parent",
            "parent → sleep",
            "parent → child 2",
            "sleep → parent",
            "child 2",
            "child 2 → parent"
        ]
    );
    let lanes = Lanes::of(&events);
    let cat = &lanes.all()[2];
    assert_eq!((cat.pid, cat.start, cat.end, cat.voice.as_str()), (Some(3), Some(6), Some(9), "child"));
    assert_eq!((lanes.all()[0].start, lanes.all()[0].end), (None, None));
}

/// As lab 17: the workers are Node programs that know nothing of the transcript.
#[test]
fn a_process_that_does_not_speak_has_the_name_that_others_give_it() {
    let mut events = vec![event(1, What::Program { program: "lab".into() })];
    for worker in 2..5 {
        events.extend(starts(1, worker, "node"));
    }
    events
        .extend([says(1, "primary", "worker 1, pid 3: it listens"), says(1, "primary", "worker 2, pid 2: it listens")]);
    events.extend([arrow(1, ArrowKind::Signal, "primary", "worker 1"), exits(3)]);
    events.extend([arrow(1, ArrowKind::Exit, "worker 1", "primary"), says(1, "client", "pid 4 is node")]);
    events.push(says(1, "client", "nobody's process"));
    let (all, lines) = names(&events);
    assert_eq!(all, ["primary", "worker 2", "worker 1", "client"]);
    assert_eq!(lines, ["primary", "primary", "primary → worker 1", "worker 1 → primary", "client", "client"]);
}

/// As lab 02, whose parent speaks as `exec` and `execFile` of what it does itself, and of the processes that it starts so.
#[test]
fn what_no_process_can_have_said_is_said_by_the_one_that_wrote_it() {
    let step = |step| event(1, What::Line { line: Line::Step { step, title: String::new() }, source: None });
    let mut events = vec![event(1, What::Program { program: "lab".into() }), step(1)];
    events.extend([says(1, "exec", "I start a shell"), says(1, "parent", "that was me")]);
    events.extend(starts(1, 2, "sh"));
    events.extend(starts(2, 3, "cat"));
    // The child of the shell is not meant, though it is alive.
    events.extend([exits(2), says(1, "exec", "it has ended"), exits(3), step(2), says(1, "exec", "again")]);
    assert_eq!(names(&events).1, ["parent", "parent", "exec", "parent"]);
}

#[test]
fn without_system_calls_there_is_a_lane_for_each_voice() {
    let events = [says(1, "parent", "a"), says(2, "child", "b"), says(3, "child", "c")];
    assert_eq!(names(&events).0, ["parent", "child"]);
    assert_eq!(Lanes::of(&events).all()[1].pid, None);
}

#[test]
fn equal_names_are_numbered() {
    let mut events = vec![event(1, What::Program { program: "lab".into() })];
    for child in 2..6 {
        events.extend(starts(1, child, if child < 4 { "sh" } else { "lab" }));
    }
    events.extend([says(4, "worker 1", "a"), says(5, "worker 1", "b")]);
    assert_eq!(names(&events).0, ["pid 1", "sh 1", "sh 2", "worker 1 (1)", "worker 1 (2)"]);
}
