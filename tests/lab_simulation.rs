//! The simulation of lab 10: the same figures from the same arguments, on every machine.

use std::process::{Command, ExitCode};

use assert_cmd::prelude::*;
use forklore::cluster::schedule::Policy;
use harness::started::RunningProgram;
use harness::terminal::Terminal;
use harness::{program, root, trial};
use libtest_mimic::Trial;
use nix::sys::signal::Signal;
use predicates::str::contains;
use snapbox::{Assert, Data};

fn main() -> ExitCode {
    let trials: Vec<Trial> = vec![
        trial("the same arguments give the same figures, on every machine", &[], same),
        trial("another seed gives others", &[], other),
        trial("every figure is a line of JSON", &[], json),
        trial("what is wrong with the arguments is one sentence", &[], wrong_arguments),
        trial("Ctrl-C ends it at once", &[], interrupted),
        trial("a terminal sees how far it is", &["setsid"], progress),
    ];
    harness::conclude(trials)
}

fn simulation(arguments: &[&str]) -> Command {
    let mut command = Command::new(program("lab-10-scheduling"));
    command.arg("--simulate").args(arguments);
    command
}

fn figures(arguments: &[&str]) -> String {
    let output = simulation(arguments).assert().success().stderr("").get_output().stdout.clone();
    String::from_utf8(output).expect("text")
}

fn figures_of_seed(seed: &str) -> String {
    figures(&["--requests", "20000", "--workers", "100", "--seed", seed])
}

/// `SNAPSHOTS=overwrite cargo test --test lab_simulation` renews the file.
fn same() {
    let first = figures_of_seed("1");
    assert!(first.lines().all(|line| line.chars().count() <= 80), "{first}");
    assert_eq!(figures_of_seed("1"), first);
    let file = root().join("labs/10-scheduling/simulated.txt");
    Assert::new().action_env("SNAPSHOTS").normalize_paths(false).eq(first, Data::read_from(&file, None));
}

fn other() {
    let of_policies = |text: &str| -> Vec<String> {
        let names = |line: &&str| Policy::ALL.iter().any(|policy| line.starts_with(&format!("   model  {policy} ")));
        text.lines().filter(names).map(str::to_owned).collect()
    };
    let (one, other) = (of_policies(&figures_of_seed("1")), of_policies(&figures_of_seed("2")));
    assert_eq!((one.len(), other.len()), (5, 5));
    assert!(one.iter().zip(&other).all(|(one, other)| one != other), "{one:?}");
}

fn json() {
    let text = figures(&["--requests", "5000", "--workers", "20", "--json"]);
    let records: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect();
    for policy in Policy::ALL {
        let of_policy = |record: &&serde_json::Value| {
            record["fact"].as_str().is_some_and(|fact| fact.starts_with(&format!("{policy}, ")))
        };
        let facts: Vec<_> = records.iter().filter(of_policy).collect();
        assert_eq!(facts.len(), 9, "{policy}: {facts:?}");
        let number = |value: &serde_json::Value| value.as_str().is_some_and(|text| text.parse::<f64>().is_ok());
        assert!(facts.iter().all(|fact| number(&fact["value"])), "{facts:?}");
    }
}

fn wrong_arguments() {
    for (arguments, sentence) in [
        (&["--load", "0"][..], "invalid value '0' for '--load <SHARE>': that is no number from 0.01 to 2"),
        (&["--load", "NaN"], "invalid value 'NaN' for '--load <SHARE>': that is no number from 0.01 to 2"),
        (&["--workers", "0"], "invalid value '0' for '--workers <N>': that is no number from 1 to 4096"),
        (&["--requests", "-5"], "invalid value '-5' for '--requests <N>': that is no number from 1 to 10000000"),
        (&["--seed", "one"], "invalid value 'one' for '--seed <N>': that is no number from 0 on"),
        (&["--nosuch"], "unexpected argument '--nosuch' found"),
    ] {
        let sentence = format!("lab-10-scheduling: {sentence}; --help says what it takes\n");
        simulation(arguments).assert().code(2).stdout("").stderr(sentence);
    }
    let sentence = contains("the following required arguments were not provided: --simulate");
    Command::new(program("lab-10-scheduling")).args(["--load", "0.5"]).assert().code(2).stdout("").stderr(sentence);
}

fn interrupted() {
    let started = RunningProgram::new(simulation(&["--requests", "10000000"]));
    started.wait_for_output("1. Load 0.9: 10,000,000 requests for 1,000 workers, seed 1");
    started.signal_group(Signal::SIGINT);
    let (status, stdout, mark) = started.end();
    assert_eq!(status.code(), Some(130), "{stdout}");
    assert_eq!(mark.leftovers(), Vec::<String>::new());
}

fn progress() {
    let mut terminal = Terminal::start(&simulation(&["--requests", "100000", "--workers", "10"]));
    terminal.shows("simulating: ");
    let rest = terminal.shows("without work while a request waited");
    assert!(rest.contains("\r\u{1b}[K"), "the line is gone when the table comes: {rest:?}");
    let (status, _) = terminal.end();
    assert!(status.success(), "{status}");
}
