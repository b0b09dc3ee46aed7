//! The recorded runs in `book/recorded/` are what the labs do now.
//!
//! `SNAPSHOTS=overwrite cargo test -p bookshelf --test recordings` records them anew.
//!
//! A run as JSON must say what `expected.txt` says. A trace cannot be compared word for word: which process comes first, how often one finds
//! nothing to read yet, and how many calls are counted together differ from run to run. `Shown` says what is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

use harness::started::Started;
use harness::{cargo, find, lab, labs, program, root, trial};
use regex::Regex;
use snapbox::{Assert, Data};
use transcript::{Line, Look, Record, facts_heading, render};

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for lab in labs() {
        let its_own = lab::needs(&lab);
        let its_own: Vec<&str> = its_own.iter().map(String::as_str).collect();
        let with_strace: Vec<&str> = its_own.iter().copied().chain(["strace"]).collect();
        let own = lab.clone();
        trials.push(trial(&format!("{lab}: the recorded run says what is expected"), &its_own, move || run(&own)));
        trials.push(trial(&format!("{lab}: the recorded trace shows the calls of today"), &with_strace, move || {
            trace(&lab)
        }));
    }
    harness::conclude(trials)
}

fn recorded(lab: &str, extension: &str) -> PathBuf {
    root().join("book/recorded").join(format!("{lab}.{extension}"))
}

/// What is recorded, after it was recorded anew if that is wanted.
fn recording(lab: &str, extension: &str, option: &str) -> String {
    let path = recorded(lab, extension);
    if env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
        fs::write(&path, output_of(lab, option)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(!text.contains("/home/") && !text.contains("/root/"), "{}: a folder of somebody's", path.display());
    text
}

/// What `cargo lab` prints now, with the folders of this machine left out.
fn output_of(lab: &str, option: &str) -> String {
    let mut command = Command::new(program("lab"));
    command.args([lab, option]).env("PATH", path(lab)).env("CARGO", cargo()).current_dir(root()).stdin(Stdio::null());
    command.env_remove("TMPDIR");
    // The compiler is found through PATH otherwise.
    let compiler = Path::new(&cargo()).with_file_name("rustc");
    if compiler.is_file() {
        command.env("RUSTC", compiler);
    }
    let (status, stdout, _) = Started::new(command).end();
    assert!(status.success(), "{lab} {option} ended with {status}");
    without_our_folders(&stdout)
}

/// Where the programs of the lab are, before the usual places: a search in other people's folders is not the lesson.
fn path(lab: &str) -> String {
    let found = lab::needs(lab).into_iter().filter_map(|tool| Some(find(&tool)?.parent()?.display().to_string()));
    let mut folders: Vec<String> = Vec::new();
    for folder in found.chain(["/usr/bin".to_owned(), "/bin".to_owned()]) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders.join(":")
}

/// The folder of the repository is `…/forklore`; that of the programs, and a temporary one, is `…`. So is a path that begins like one of them
/// and is cut short.
fn without_our_folders(text: &str) -> String {
    let programs = program("lab").parent().expect("a folder").display().to_string();
    let own = root().display().to_string();
    let text = text.replace(&format!("{programs}/"), "…/").replace(&own, "…/forklore");
    let cut = Regex::new(r#""(?<path>/[^"…]*)…"#).expect("a regular expression");
    let ours = |path: &str| programs.starts_with(path) || own.starts_with(path);
    let shown =
        |found: &regex::Captures<'_>| if ours(&found["path"]) { "\"…".to_owned() } else { found[0].to_owned() };
    let text = cut.replace_all(&text, shown);
    let temporary = Regex::new(r"/tmp/\.tmp\w*…?").expect("a regular expression");
    temporary.replace_all(&text, "…").into_owned()
}

fn run(lab: &str) {
    let json = recording(lab, "jsonl", "--json");
    let records: Vec<Record> = json.lines().map(|line| Record::from_json(line).expect("a record")).collect();
    let expected = root().join("labs").join(lab).join("expected.txt");
    let look = Look { coloured: false, width: width(&fs::read_to_string(&expected).expect("what the lab prints")) };
    let mut text = String::new();
    for (index, record) in records.iter().enumerate() {
        let first_fact = matches!(record.line, Line::Fact { .. })
            && !records[..index].iter().any(|before| matches!(before.line, Line::Fact { .. }));
        if first_fact {
            text += &facts_heading(look);
        }
        text += &render(&record.line, look);
    }
    // A lab that says what its arguments are has one more here.
    let text = text.replace(&format!("lab-{lab} --json"), &format!("lab-{lab}"));
    let assert = Assert::new().normalize_paths(false).redact_with(lab::redactions("…/forklore"));
    assert.eq(text, Data::read_from(&expected, None));
}

/// The width of the column of voices: two spaces stand between it and the text, and some text begins without a space.
fn width(transcript: &str) -> usize {
    let spoken = transcript.lines().take_while(|line| *line != "Facts").filter_map(|line| line.strip_prefix("   "));
    let starts = spoken.filter_map(|line| {
        let (voice, rest) = line.split_once("  ")?;
        Some(voice.chars().count() + rest.len() - rest.trim_start_matches(' ').len())
    });
    starts.min().unwrap_or(0)
}

/// How many calls may have come in another step than they were recorded in.
const STRAYED_AT_MOST: usize = 3;

/// How often a lab is run until it shows what is recorded. On a machine that is busy enough, one run in some hundreds shows a call that no
/// other does; what has really changed is in all of them.
const RUNS: usize = 3;

fn trace(lab: &str) {
    let again = "SNAPSHOTS=overwrite cargo test -p bookshelf --test recordings records it anew";
    let before = Shown::of(&recording(lab, "trace", "--trace"));
    let mut difference = String::new();
    for _ in 0..RUNS {
        let now = Shown::of(&output_of(lab, "--trace"));
        let strayed: Vec<_> = before.by_step.symmetric_difference(&now.by_step).collect();
        if before.by_process == now.by_process && strayed.len() <= STRAYED_AT_MOST {
            return;
        }
        difference =
            format!("recorded: {:?}\nnow: {:?}\nin other steps: {strayed:?}", before.by_process, now.by_process);
    }
    panic!("{lab}: the trace is another one in each of {RUNS} runs; {again}\n{difference}");
}

/// What a trace shows: calls with their outcomes, such as `accept4 = done` and `connect = ECONNREFUSED`.
///
/// Twenty runs of each lab said what can be compared. By process the calls that it makes are the same in all of them, if one leaves out
///
/// 1. how often each is made, and in which order;
/// 2. those that found nothing yet, were interrupted, or end later: `EAGAIN`, `EINTR`, `EINPROGRESS`;
/// 3. programs that were looked for in vain, which depends on PATH;
/// 4. which process it is, where it has no name in the transcript: pids differ;
/// 5. threads (`clone3` with `CLONE_FS`): one waits for a child that is dropped while it runs, which may have ended by then.
///
/// By step they are almost the same: in one run of two hundred and forty a child's first `accept4` came after the line that begins the
/// next step, in another one a signal was sent that was no longer needed. When a process tidies up (`close`) nobody waits for at all.
#[derive(Debug, Default)]
struct Shown {
    by_process: BTreeMap<String, BTreeSet<String>>,
    by_step: BTreeSet<(String, String, String)>,
}

impl Shown {
    fn of(trace: &str) -> Shown {
        let step = Regex::new(r"^\d+\. ").expect("a regular expression");
        let call =
            r"^     \[(?<voice>[^\]]+)\] (?:… and \d+ more like it: )?(?<name>\w+)\(.*\) = \S+(?: (?<error>E[A-Z]+))?";
        let call = Regex::new(call).expect("a regular expression");
        let mut shown = Shown::default();
        let mut now = "before the first step";
        for line in trace.lines() {
            if step.is_match(line) {
                now = line;
            }
            let Some(found) = call.captures(line) else { continue };
            let name = &found["name"];
            let outcome = match found.name("error").map(|error| error.as_str()) {
                Some("EAGAIN" | "EINTR" | "EINPROGRESS") => continue,
                Some("ENOENT") if name == "execve" => continue,
                outcome => outcome.unwrap_or("done"),
            };
            if name == "clone3" && line.contains("CLONE_FS") {
                continue;
            }
            let voice = if found["voice"].starts_with("pid ") { "others" } else { &found["voice"] };
            let made = format!("{name} = {outcome}");
            if name != "close" {
                shown.by_step.insert((now.to_owned(), voice.to_owned(), made.clone()));
            }
            shown.by_process.entry(voice.to_owned()).or_default().insert(made);
        }
        assert!(!shown.by_process.is_empty(), "a trace shows calls");
        shown
    }
}
