//! `cargo lab` from the outside: what it prints, how it ends, and that it leaves nothing behind.

mod compare;
mod made_up;

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};
use std::sync::{Arc, OnceLock};

use assert_cmd::prelude::*;
use harness::started::RunningProgram;
use harness::terminal::Terminal;
use harness::workspace::Workspace;
use harness::{conclude, labs, program, trial};
use libtest_mimic::Trial;
use made_up::{is_plain, lab_in};
use nix::sys::signal::Signal;
use predicates::prelude::*;
use predicates::str::{contains, ends_with, starts_with};

fn main() -> ExitCode {
    let workspace: Arc<OnceLock<Workspace>> = Arc::default();
    // The first test that needs the workspace creates it. It is removed here, when all tests have ended.
    let in_workspace = |name: &str, needs: &[&str], test: fn(&Workspace)| -> Trial {
        let workspace = Arc::clone(&workspace);
        trial(name, needs, move || test(workspace.get_or_init(made_up::labs)))
    };
    conclude(vec![
        trial("the list names every lab within 80 columns", &[], the_list),
        trial("--help shows examples and exit codes", &[], help),
        trial("an argument that a lab refuses is its exit code 2", &[], refused_argument),
        trial("the list ends quietly when its reader has gone", &[], reader_of_the_list_gone),
        in_workspace("an unknown lab is exit code 2, and a suggestion where one is near", &[], unknown),
        in_workspace("a name that two labs have is exit code 2 and both names", &[], ambiguous),
        in_workspace("ways to run exclude each other", &[], exclusive),
        in_workspace("a missing node is one sentence and exit code 3", &[], |workspace| {
            missing(workspace, "--node", "node")
        }),
        in_workspace("a missing strace is one sentence and exit code 3", &[], |workspace| {
            missing(workspace, "--trace", "strace")
        }),
        in_workspace("the lab's exit code and signal are the command's", &[], passed_on),
        in_workspace("what a pipe gets is what the lab wrote", &[], piped),
        in_workspace("a lab that does not compile is exit code 4", &[], broken),
        in_workspace("the first run says what it compiles besides the lab", &[], first_run),
        in_workspace("--node runs the original", &["node"], node),
        in_workspace("--compare counts equal facts", &["node"], compare::equal),
        in_workspace("--compare names a fact that differs and ends with 1", &["node"], compare::different),
        in_workspace("--compare expects a declared difference", &["node"], compare::declared),
        in_workspace("--compare ends with 1 when a declared difference is gone", &["node"], compare::gone),
        in_workspace("--compare runs the node that FORKLORE_NODE names", &["node"], compare::another_node),
        in_workspace("--trace explains calls, within 80 columns", &["strace"], trace),
        in_workspace("--trace --json is JSON lines", &["strace"], trace_json),
        in_workspace("Ctrl-C leaves nothing behind", &[], |workspace| interrupted(workspace, None)),
        in_workspace("Ctrl-C leaves nothing behind with --trace", &["strace"], |workspace| {
            interrupted(workspace, Some("--trace"))
        }),
        in_workspace("Ctrl-C leaves nothing behind with --compare", &["node"], |workspace| {
            interrupted(workspace, Some("--compare"))
        }),
        in_workspace("SIGTERM to the tool alone ends the lab", &[], |workspace| terminated(workspace, None)),
        in_workspace("SIGTERM to the tool ends the lab with --trace", &["strace"], |workspace| {
            terminated(workspace, Some("--trace"))
        }),
        in_workspace("Ctrl-C waits for the lab to clean up", &[], cleaned_up),
        in_workspace("a prediction is asked on a terminal and answered", &["setsid"], predicted),
        in_workspace("with --node, the answer is Node's", &["setsid", "node"], predicted_for_node),
        in_workspace("nonsense asks once more, Enter skips, both are told the answer", &["setsid"], skipped),
        in_workspace("Ctrl-C at the question ends quietly", &["setsid"], interrupted_at_the_question),
        in_workspace("Ctrl-C on a terminal leaves its settings alone", &["setsid"], interrupted_on_a_terminal),
    ])
}

/// `cargo lab` with the labs of this clone.
fn lab(arguments: &[&str]) -> Command {
    let mut command = Command::new(program("lab"));
    command.args(arguments);
    command
}

fn the_list() {
    let how_to_run_one = predicate::function(|list: &str| list.lines().last().is_some_and(|l| l.contains("cargo lab")));
    let list = lab(&[]).assert().success().stdout(predicate::function(is_plain)).stdout(how_to_run_one);
    labs().into_iter().fold(list, |list, name| list.stdout(contains(name)));
}

fn help() {
    let help = lab(&["--help"]).assert().success();
    let parts = ["Examples:", "cargo lab 01 --compare", "Exit codes:", "--no-predict"];
    parts.into_iter().fold(help, |help, part| help.stdout(contains(part)));
}

fn refused_argument() {
    lab(&["00", "--", "--nosuch"]).assert().code(2).stdout("").stderr(contains("--nosuch"));
}

fn reader_of_the_list_gone() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    lab(&[]).stdout(writer).assert().code(141).stderr("");
}

/// Accepts one line.
fn one_line() -> impl Predicate<str> {
    contains("\n").count(1).and(ends_with("\n"))
}

fn unknown(workspace: &Workspace) {
    for (typed, meant) in [("nosuch", ""), ("77", ""), ("alpa", " did you mean 90-alpha-equal or 91-alpha-unequal?")] {
        let sentence = format!("lab: no lab is called {typed:?};{meant} `cargo lab` lists all labs\n");
        lab_in(workspace, &[typed]).assert().code(2).stdout("").stderr(sentence);
    }
}

fn ambiguous(workspace: &Workspace) {
    let both = "could be 90-alpha-equal or 91-alpha-unequal";
    lab_in(workspace, &["alpha"]).assert().code(2).stderr(contains(both));
}

fn exclusive(workspace: &Workspace) {
    lab_in(workspace, &["90", "--node", "--compare"]).assert().code(2);
    // Which of the two?
    lab_in(workspace, &["90", "91"]).assert().code(2);
    // Which lab?
    lab_in(workspace, &["--node"]).assert().code(2);
}

fn missing(workspace: &Workspace, how: &str, tool: &str) {
    let sentence = starts_with(format!("lab: {tool} is not installed: ")).and(contains("apt-get install"));
    let mut command = lab_in(workspace, &["90", how]);
    command.env("PATH", workspace.path("empty")).env_remove("FORKLORE_NODE");
    command.assert().code(3).stdout("").stderr(sentence.and(one_line()));
}

fn passed_on(workspace: &Workspace) {
    let run = |script: &str| lab_in(workspace, &["90", "--", "sh", script]).assert();
    run("exit 7").code(7);
    run("kill -PIPE $$").code(141);
    assert_eq!(run("kill -KILL $$").get_output().status.signal(), Some(9));
}

fn piped(workspace: &Workspace) {
    lab_in(workspace, &["equal"]).assert().success().stdout("colour: green\nsize: 4\n").stderr("");
}

fn broken(workspace: &Workspace) {
    let errors_of_the_compiler = contains("error").and(contains("main.rs:1"));
    let sentence = ends_with("lab: 92-broken does not compile; the messages above say why\n");
    lab_in(workspace, &["broken"]).assert().code(4).stdout("").stderr(errors_of_the_compiler.and(sentence));
}

fn first_run(workspace: &Workspace) {
    let told = "lab: compiling lab-95-library and the crates that it uses, once; this can take a minute\n";
    for expected in [told, ""] {
        lab_in(workspace, &["95"]).assert().success().stdout(ends_with("size: 4\n")).stderr(expected);
    }
}

fn node(workspace: &Workspace) {
    lab_in(workspace, &["90", "--node"]).assert().success().stdout("colour: green\nsize: 4\n");
}

fn trace(workspace: &Workspace) {
    let traced = lab_in(workspace, &["90", "--trace", "--", "sh", "/bin/true; exit 3"]).assert().code(3);
    // The loader is not the lesson.
    let traced = traced.stdout(predicate::function(is_plain)).stdout(contains("libc.so").not());
    let parts = ["execve(", "from here on this process is true", "ended with code 0", "ends with code 3"];
    parts.into_iter().fold(traced, |traced, part| traced.stdout(contains(part)));
}

fn trace_json(workspace: &Workspace) {
    let traced = lab_in(workspace, &["90", "--trace", "--json"]).assert().success();
    let stdout = String::from_utf8_lossy(&traced.get_output().stdout).into_owned();
    let lines: Vec<serde_json::Value> = stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.iter().filter(|line| line["fact"].is_string()).count(), 2);
    assert_eq!((&lines[0]["lab"], &lines[0]["language"]), (&"90-alpha-equal".into(), &"rust".into()));
    assert!(lines.iter().any(|line| line["call"] == "exit_group" && line["arguments"][0]["text"] == "0"), "{stdout}");
}
/// A lab that is there until a signal ends it.
const FOREVER: &str = "echo ready >&2; exec tail -f /dev/null";
/// The same with a child.
const BOTH_FOREVER: &str = "sh -c 'echo ready >&2; exec tail -f /dev/null'; true";

/// Starts such a lab; the Node original of `--compare` never gets its turn.
fn forever(workspace: &Workspace, how: Option<&str>, script: &str) -> RunningProgram {
    let arguments: Vec<&str> = ["90"].into_iter().chain(how).chain(["--", "sh", script]).collect();
    let started = RunningProgram::new(lab_in(workspace, &arguments));
    started.wait_for("ready");
    started
}

fn interrupted(workspace: &Workspace, how: Option<&str>) {
    let started = forever(workspace, how, BOTH_FOREVER);
    started.signal_group(Signal::SIGINT);
    let (status, stdout, mark) = started.end();
    assert_eq!(status.signal(), Some(2), "{status}");
    assert_eq!(mark.leftovers(), [""; 0]);
    assert_eq!(stdout.contains("execve("), how == Some("--trace"), "what was recorded until then is shown: {stdout}");
}

fn terminated(workspace: &Workspace, how: Option<&str>) {
    let started = forever(workspace, how, FOREVER);
    started.signal(Signal::SIGTERM);
    let (status, _, mark) = started.end();
    assert_eq!(status.signal(), Some(15), "{status}");
    assert_eq!(mark.leftovers(), [""; 0]);
}

fn cleaned_up(workspace: &Workspace) {
    let script = "mkfifo $0.$$; trap 'rm $0.$$; echo cleaned; exit 0' INT; echo ready >&2; read line <$0.$$";
    let mut command = lab_in(workspace, &["90", "--", "sh", script]);
    command.current_dir(workspace.path("empty"));
    let started = RunningProgram::new(command);
    started.wait_for("ready");
    started.signal_group(Signal::SIGINT);
    let (status, stdout, mark) = started.end();
    assert_eq!((status.code(), stdout.as_str()), (Some(0), "cleaned\n"), "the lab ended well, and so does the tool");
    assert_eq!(mark.leftovers(), [""; 0]);
}

fn predicted(workspace: &Workspace) {
    let mut terminal = Terminal::start(&lab_in(workspace, &["90"]));
    let question = terminal.shows("Your prediction");
    assert!(question.contains("What will 90-alpha-equal say?") && question.contains("2. two facts"), "{question}");
    terminal.types("2\n");
    let run = terminal.shows("Your prediction was right: two facts.");
    assert!(run.contains("size: 4"), "the answer comes after the run: {run}");
    let (status, rest) = terminal.end();
    assert!(status.success() && rest.contains("It was written that way."), "{rest}");

    let mut terminal = Terminal::start(&lab_in(workspace, &["90"]));
    terminal.shows("Your prediction");
    terminal.types("1\n");
    terminal.shows("Not as you predicted. The answer is 2: two facts.");
    assert!(terminal.end().0.success());
}

fn predicted_for_node(workspace: &Workspace) {
    let mut terminal = Terminal::start(&lab_in(workspace, &["90", "--node"]));
    terminal.shows("Your prediction");
    terminal.types("2\n");
    terminal.shows("Your prediction was right: two facts.");
    let (status, rest) = terminal.end();
    assert!(status.success() && rest.contains("The original was written that way."), "{rest}");
}

fn skipped(workspace: &Workspace) {
    let mut terminal = Terminal::start(&lab_in(workspace, &["90"]));
    terminal.shows("Your prediction");
    terminal.types("purple\n");
    terminal.shows("A number from the list");
    terminal.types("4\n");
    terminal.shows("skipped. The answer comes after the run.");
    assert!(terminal.shows("The answer is 2: two facts.").contains("size: 4"));
    assert!(terminal.end().0.success());

    let mut terminal = Terminal::start(&lab_in(workspace, &["90"]));
    terminal.shows("Your prediction");
    terminal.types("\n");
    let (status, rest) = terminal.end();
    assert!(status.success() && !rest.contains("predict"), "{rest}");
    assert!(rest.contains("The answer is 2: two facts.") && rest.contains("It was written that way."), "{rest}");

    let (status, shown) = Terminal::start(&lab_in(workspace, &["90", "--no-predict"])).end();
    assert!(status.success() && !shown.contains("prediction"), "{shown}");
}

fn interrupted_at_the_question(workspace: &Workspace) {
    let rest = interrupt(&lab_in(workspace, &["90"]), "(Enter skips): ");
    assert!(!rest.contains("size"), "the lab did not run: {rest}");
}

fn interrupted_on_a_terminal(workspace: &Workspace) {
    interrupt(&lab_in(workspace, &["90", "--", "sh", "echo ready; exec tail -f /dev/null"]), "ready");
}

/// Ctrl-C as soon as `shown` is shown ends it, and nothing is left; what was shown afterwards.
fn interrupt(command: &Command, shown: &str) -> String {
    let mut terminal = Terminal::start(command);
    let before = terminal.settings();
    terminal.shows(shown);
    terminal.types("\x03");
    let (status, rest) = terminal.end();
    assert_eq!(status.signal(), Some(2), "{status}");
    assert!(terminal.settings() == before, "the terminal is as it was");
    assert_eq!(terminal.mark.leftovers(), [""; 0]);
    rest
}
