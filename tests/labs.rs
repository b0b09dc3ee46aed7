//! Every lab, run as a learner runs it, against its `expected.txt` and its Node original.
//!
//! `SNAPSHOTS=overwrite cargo test --test labs` records what the labs print now.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use harness::started::{RunningProgram, end_of};
use harness::{Case, lab, labs, missing, nodes, program, root, trial, trial_unless};
use libtest_mimic::Trial;
use manifest::Difference;
use manifest::programs::{NODE, Node};
use nix::sys::signal::Signal;
use snapbox::{Assert, Data};

fn main() -> ExitCode {
    let mut trials: Vec<Trial> = Vec::new();
    let mut in_each_node = Vec::new();
    for lab in labs() {
        let its_own = lab::needs(&lab);
        let mut add = |what: &str, needs: &[&str], test: fn(&str)| {
            let own = lab.clone();
            let needs: Vec<&str> = its_own.iter().map(String::as_str).chain(needs.iter().copied()).collect();
            trials.push(trial(&format!("{lab}: {what}"), &needs, move || test(&own)));
        };
        add("prints what is expected", &[], prints_what_is_expected);
        add("prints the same as JSON", &[], prints_the_same_as_json);
        add("runs twice at once", &[], runs_twice_at_once);
        add("states in Node what is expected", &["node"], states_in_node_what_is_expected);
        add("leaves nothing behind when interrupted at any step", &[], |lab| interrupted_at_each_step(lab, &[]));
        add("leaves nothing behind when interrupted in Node", &["node"], |lab| {
            interrupted_at_each_step(lab, &["--node"]);
        });
        match missing(&its_own.iter().map(String::as_str).filter(|tool| *tool != "node").collect::<Vec<_>>()) {
            None => {
                in_each_node.push(Case::new(format!("{lab}: compares as expected"), move || compares_as_expected(&lab)))
            }
            reason => trials.push(trial_unless(reason, &format!("{lab}: compares as expected"), || ())),
        }
    }
    trials.extend(nodes::in_each_node(in_each_node));
    harness::conclude(trials)
}

/// `cargo lab` on this lab, with a folder for its temporary files in which nothing may be left.
fn command(lab: &str, options: &[&str]) -> (Command, tempfile::TempDir) {
    let temporary = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(program("lab"));
    command.arg(lab).args(options).env("TMPDIR", temporary.path()).stdin(Stdio::null());
    (command, temporary)
}

/// Its stdout; it must end well and leave nothing behind.
fn output_of(lab: &str, options: &[&str]) -> String {
    output_of_command(command(lab, options))
}

fn output_of_command((command, temporary): (Command, tempfile::TempDir)) -> String {
    let described = format!("{:?}", command.get_args().collect::<Vec<_>>());
    let (status, stdout, mark) = RunningProgram::new(command).end();
    assert!(status.success(), "{described} ended with {status}");
    assert_eq!(mark.leftovers(), Vec::<String>::new(), "{described} left processes behind");
    left_nothing(&temporary);
    stdout
}

fn left_nothing(folder: &tempfile::TempDir) {
    let left: Vec<_> = fs::read_dir(folder).expect("the folder").collect();
    assert!(left.is_empty(), "temporary files were left behind: {left:?}");
}

fn expected_file(lab: &str) -> PathBuf {
    root().join("labs").join(lab).join("expected.txt")
}

fn assert_expected(lab: &str, actual: String) {
    let folder = std::env::current_dir().expect("a working directory").display().to_string();
    let assert = Assert::new().action_env("SNAPSHOTS").normalize_paths(false).redact_with(lab::redactions(&folder));
    assert.eq(actual, Data::read_from(&expected_file(lab), None));
}

fn facts(transcript: &str) -> Vec<&str> {
    transcript.lines().skip_while(|line| *line != "Facts").skip(1).map(str::trim).collect()
}

/// The facts of a transcript in JSON, as text has them.
fn facts_of_json(records: &[serde_json::Value]) -> Vec<String> {
    let facts = records.iter().filter_map(|record| Some((record["fact"].as_str()?, record["value"].as_str()?)));
    facts.map(|(name, value)| format!("{name}: {value}")).collect()
}

fn records(json: &str) -> Vec<serde_json::Value> {
    json.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"))).collect()
}

fn prints_what_is_expected(lab: &str) {
    assert_expected(lab, output_of(lab, &[]));
}

fn prints_the_same_as_json(lab: &str) {
    let records = records(&output_of(lab, &["--json"]));
    let positive = |record: &serde_json::Value, name: &str| record[name].as_u64().is_some_and(|number| number > 0);
    assert!(records.iter().all(|record| positive(record, "us") && positive(record, "pid")));
    let expected = fs::read_to_string(expected_file(lab)).expect("expected.txt");
    assert_eq!(facts_of_json(&records), facts(&expected));
    let titles = records.iter().filter_map(|r| Some(format!("{}. {}", r["step"].as_u64()?, r["title"].as_str()?)));
    assert_eq!(titles.collect::<Vec<_>>(), steps(&expected));
}

fn runs_twice_at_once(lab: &str) {
    let both = [command(lab, &[]), command(lab, &[])].map(|(command, folder)| (RunningProgram::new(command), folder));
    for (started, folder) in both {
        let (status, stdout, _) = started.end();
        assert!(status.success(), "{status}");
        assert_expected(lab, stdout);
        left_nothing(&folder);
    }
}

fn states_in_node_what_is_expected(lab: &str) {
    let transcript = fs::read_to_string(expected_file(lab)).expect("expected.txt");
    let mut expected: Vec<String> = facts(&transcript).into_iter().map(str::to_owned).collect();
    for Difference { fact, rust, node, .. } in lab::manifest(lab).differs {
        let [in_rust, in_node] = [rust, node].map(|value| format!("{fact}: {value}"));
        let stated = expected.iter_mut().find(|line| **line == in_rust);
        *stated.unwrap_or_else(|| panic!("{lab} states in Rust {in_rust:?}")) = in_node;
    }
    assert_eq!(facts(&output_of(lab, &["--node"])), expected);
    assert_eq!(facts_of_json(&records(&output_of(lab, &["--node", "--json"]))), expected);
}

fn compares_as_expected(lab: &str) {
    let Node { path, version } = nodes::current();
    let (mut command, temporary) = command(lab, &["--compare"]);
    command.env(NODE, path);
    let table = output_of_command((command, temporary));
    assert!(table.contains(&format!(" Node {version} ")) && table.contains("facts are equal"), "{table}");
}

/// The lines by which steps begin.
fn steps(transcript: &str) -> Vec<String> {
    let is_step = |line: &&str| line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
    transcript.lines().filter(is_step).map(str::to_owned).collect()
}

fn interrupted_at_each_step(lab: &str, options: &[&str]) {
    for step in steps(&output_of(lab, options)) {
        let (command, temporary) = command(lab, options);
        let started = RunningProgram::new(command);
        started.wait_for_output(&step);
        started.signal_group(Signal::SIGINT);
        let (status, _, mark) = started.end();
        // The last step may be over before the signal comes.
        let well = status.signal() == Some(Signal::SIGINT as i32) || status.success();
        assert!(well, "interrupted at {step:?}, {lab} {options:?} ended with {status}");
        assert_eq!(mark.leftovers(), Vec::<String>::new(), "interrupted at {step:?}, {lab} left processes behind");
        left_nothing(&temporary);
    }
    // A lab is a program of its own, too, and not only when the tool watches over it.
    if options.is_empty() {
        let mut alone = Command::new(program(&format!("lab-{lab}")));
        alone.stdin(Stdio::null()).stdout(Stdio::null());
        let mark = harness::process::ProcessMark::put_on(&mut alone);
        let child = alone.spawn().expect("it starts");
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id() as i32), Signal::SIGTERM).expect("it is there");
        end_of(child);
        assert_eq!(mark.leftovers(), Vec::<String>::new(), "ended by SIGTERM, {lab} left processes behind");
    }
}
