//! The recorded runs in `book/recorded/` are sound, agree with `expected.txt`, and show what the labs do now.
//!
//! `cargo lab --record` records them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use harness::started::RunningProgram;
use harness::{cargo, lab, labs, program, root, trial};
use recording::lanes::Lanes;
use recording::{Event, Language, Recording, What, explain, out_of_order};
use regex::Regex;
use snapbox::{Assert, Data};
use transcript::{Line, Look, facts_heading, render};

/// How long a recording may be, in bytes.
const LIMIT: usize = 300 * 1024;

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for lab in labs() {
        for language in Language::ALL {
            let own = lab::needs(&lab);
            let needs: &[&str] = if language == Language::Node { &["strace", "node"] } else { &["strace"] };
            let needs: Vec<&str> = own.iter().map(String::as_str).chain(needs.iter().copied()).collect();
            let name = |what: &str| format!("{lab} in {language}: {what}");
            let (sound, today) = (lab.clone(), lab.clone());
            trials.push(trial(&name("the recording is sound"), &[], move || is_sound(&sound, language)));
            trials
                .push(trial(&name("the recording shows the calls of today"), &needs, move || calls(&today, language)));
        }
        let facts = lab.clone();
        trials.push(trial(&format!("{lab}: the recorded runs say what is expected"), &[], move || {
            says_what_is_expected(&facts);
        }));
    }
    harness::conclude(trials)
}

fn text(lab: &str, language: Language) -> String {
    let path = root().join(format!("book/recorded/{lab}.{}.jsonl", language.name()));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn recorded(lab: &str, language: Language) -> Recording {
    Recording::from_jsonl(&text(lab, language)).unwrap_or_else(|error| panic!("{lab} in {language}: {error}"))
}

fn is_sound(lab: &str, language: Language) {
    let text = text(lab, language);
    assert!(text.len() <= LIMIT, "{} bytes", text.len());
    names_no_machine(&text);
    let Recording { header, events } = recorded(lab, language);
    assert_eq!((header.lab.as_str(), header.language), (lab, language));
    assert_eq!(
        header.versions.contains_key("node"),
        language == Language::Node || lab::needs(lab).contains(&"node".into())
    );
    assert!(events.is_sorted_by_key(|event| event.us), "time does not run backwards");
    assert_eq!(out_of_order(&events), [], "causes stand before their effects");

    let mut alive = BTreeSet::from([events[0].pid]);
    for event in &events {
        assert!(alive.contains(&event.pid), "no such process: {event:?}");
        match &event.what {
            What::Starts { starts } => assert!(alive.insert(*starts), "it is there already: {event:?}"),
            What::Exit { .. } => assert!(alive.remove(&event.pid)),
            What::Line { source, .. } => is_in_the_source(lab, source.as_deref().unwrap_or_default()),
            _ => {}
        }
    }
    let recording = Recording { header, events };
    for (event, explained) in recording.events.iter().zip(explain(&recording)) {
        let (What::Call(call), Some(explained)) = (&event.what, explained) else { continue };
        assert!(!explained.meaning.is_empty() || call.payload.is_some(), "what does it mean? {event:?}");
    }
}

/// Whatever names the machine on which it was recorded, or its user.
fn names_no_machine(text: &str) {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").expect("a host has a name");
    let own = [root(), &env::temp_dir(), &env::home_dir().expect("a home")].map(|path| path.display().to_string());
    let directories = own.iter().map(|path| regex::escape(path)).chain(["/home".to_owned(), "/root".to_owned()]);
    let directories = directories.map(|path| format!("{path}/"));
    let host = format!(r"\b{}\b", regex::escape(host.trim()));
    let names = directories.chain((!host.contains("localhost")).then_some(host)).collect::<Vec<_>>().join("|");
    let found = Regex::new(&names).expect("a regular expression").find(text).map(|found| found.as_str());
    assert_eq!(found, None, "a name of this machine");
}

/// Checks that `src/main.rs:41` is there.
fn is_in_the_source(lab: &str, place: &str) {
    let (file, line) = place.rsplit_once(':').unwrap_or_else(|| panic!("{place:?} is no place in the source"));
    let text = fs::read_to_string(root().join("labs").join(lab).join(file)).unwrap_or_default();
    let line: usize = line.parse().expect("a number");
    assert!((1..=text.lines().count()).contains(&line), "{place} is not there; cargo lab --record {lab}");
}

fn lines(recording: &Recording) -> impl Iterator<Item = &Line> {
    recording
        .events
        .iter()
        .filter_map(|event| if let What::Line { line, .. } = &event.what { Some(line) } else { None })
}

fn facts(recording: &Recording) -> BTreeMap<&str, &str> {
    let facts = lines(recording).filter_map(|line| match line {
        Line::Fact { fact, value } => Some((fact.as_str(), value.as_str())),
        _ => None,
    });
    facts.collect()
}

fn says_what_is_expected(lab: &str) {
    let [rust, node] = Language::ALL.map(|language| recorded(lab, language));
    let differs = lab::manifest(lab).differs;
    let mut in_node = facts(&rust);
    in_node.extend(differs.iter().map(|difference| (difference.fact.as_str(), difference.node.as_str())));
    assert_eq!(facts(&node), in_node);

    let expected = root().join("labs").join(lab).join("expected.txt");
    let look = Look { coloured: false, width: rust.voices_width() };
    let mut heading = Some(facts_heading(look));
    let text: String = lines(&rust)
        .map(|line| {
            let heading = heading.take_if(|_| matches!(line, Line::Fact { .. })).unwrap_or_default();
            heading + &render(line, look)
        })
        .collect();
    // A lab that says what its arguments are has one more here.
    let text = text.replace(&format!("lab-{lab} --json"), &format!("lab-{lab}"));
    let assert = Assert::new().normalize_paths(false).redact_with(lab::redactions("…/forklore"));
    assert.eq(text, Data::read_from(&expected, None));
}

/// How many calls may have come in another step than they were recorded in.
const STRAYED_AT_MOST: usize = 3;

/// How often a lab is run until it shows what is recorded. On a machine that is busy enough, one run in some hundreds shows a call that no
/// other does; what has really changed is in all of them.
const RUNS: usize = 3;

fn calls(lab: &str, language: Language) {
    let recorded = recorded(lab, language);
    let before = Shown::of(&recorded);
    let mut difference = String::new();
    for _ in 0..RUNS {
        let now = record(lab, language);
        assert_eq!(facts(&now), facts(&recorded), "tracing changes nothing");
        let now = Shown::of(&now);
        let strayed: Vec<_> = before.by_step.symmetric_difference(&now.by_step).collect();
        if before.by_process == now.by_process && strayed.len() <= STRAYED_AT_MOST {
            return;
        }
        difference =
            format!("recorded: {:?}\nnow: {:?}\nin other steps: {strayed:?}", before.by_process, now.by_process);
    }
    panic!("{lab}: other calls in each of {RUNS} runs; cargo lab --record {lab} records it anew\n{difference}");
}

fn record(lab: &str, language: Language) -> Recording {
    let mut command = Command::new(program("lab"));
    command.args([lab, "--trace", "--json"]).args((language == Language::Node).then_some("--node"));
    command.env("CARGO", cargo()).current_dir(root()).stdin(Stdio::null());
    // The compiler is found through PATH otherwise.
    let compiler = Path::new(&cargo()).with_file_name("rustc");
    if compiler.is_file() {
        command.env("RUSTC", compiler);
    }
    let (status, stdout, _) = RunningProgram::new(command).end();
    assert!(status.success(), "{lab} in {language} ended with {status}");
    names_no_machine(&stdout);
    let recording = Recording::from_jsonl(&stdout).expect("a recording");
    assert_eq!(out_of_order(&recording.events), [], "causes stand before their effects");
    recording
}

/// What a recording shows: calls with their outcomes, such as `accept4 = done` and `connect = ECONNREFUSED`.
///
/// Twenty runs of each lab said what can be compared. By process the calls that it makes are the same in all of them, if one leaves out
///
/// 1. how often each is made, and in which order;
/// 2. those that found nothing yet, were interrupted, or end later: `EAGAIN`, `EINTR`, `EINPROGRESS`;
/// 3. programs that were looked for in vain, which depends on PATH;
/// 4. which process it is, where it does not speak: some are killed before they run their program;
/// 5. threads: one waits for a child that is dropped while it runs, which may have ended by then.
///
/// By step they are almost the same: in one run of two hundred and forty a child's first `accept4` came after the line that begins the
/// next step, in another one a signal was sent that was no longer needed. When a process tidies up (`close`) nobody waits for at all.
#[derive(Debug, Default)]
struct Shown {
    by_process: BTreeMap<String, BTreeSet<String>>,
    by_step: BTreeSet<(String, String, String)>,
}

impl Shown {
    fn of(recording: &Recording) -> Shown {
        let lanes = Lanes::of(&recording.events);
        let mut shown = Shown::default();
        let mut now = "before the first step".to_owned();
        let speaks =
            |event: &&Event| matches!(&event.what, What::Line { line: Line::Say { .. } | Line::Arrow { .. }, .. });
        let speakers: BTreeSet<u32> = recording.events.iter().filter(speaks).map(|event| event.pid).collect();
        for event in &recording.events {
            let call = match &event.what {
                What::Call(call) => call,
                What::Line { line: Line::Step { title, .. }, .. } => {
                    now.clone_from(title);
                    continue;
                }
                _ => continue,
            };
            let outcome = match call.error() {
                Some("EAGAIN" | "EINTR" | "EINPROGRESS") => continue,
                Some("ENOENT") if call.executes() => continue,
                outcome => outcome.unwrap_or("done"),
            };
            if call.makes_thread() {
                continue;
            }
            let lane = lanes.process(event.pid).filter(|_| speakers.contains(&event.pid));
            let voice = lane.map_or_else(|| "others".to_owned(), |lane| lanes.all()[lane].voice.clone());
            let made = format!("{} = {outcome}", call.call);
            if call.call != "close" {
                shown.by_step.insert((now.clone(), voice.clone(), made.clone()));
            }
            shown.by_process.entry(voice).or_default().insert(made);
        }
        assert!(!shown.by_process.is_empty(), "a recording shows calls");
        shown
    }
}
