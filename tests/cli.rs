//! `cargo lab` from the outside: what it prints, how it ends, and that it leaves nothing behind.

mod harness;

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Output, Stdio};
use std::sync::{Arc, OnceLock};

use harness::started::Started;
use harness::terminal::Terminal;
use harness::workspace::Workspace;
use harness::{labs, program, trial};
use libtest_mimic::Trial;
use nix::sys::signal::Signal;

fn main() -> ExitCode {
    let workspace: Arc<OnceLock<Workspace>> = Arc::default();
    // The first test that needs the workspace creates it. It is removed here, when all tests have ended.
    let in_workspace = |name: &str, needs: &[&str], test: fn(&Workspace)| -> Trial {
        let workspace = Arc::clone(&workspace);
        trial(name, needs, move || test(workspace.get_or_init(Workspace::new)))
    };
    harness::conclude(vec![
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

fn run(mut command: Command) -> (Output, String, String) {
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    (output, stdout, stderr)
}

/// `cargo lab` with the labs of this clone.
fn lab(arguments: &[&str]) -> Command {
    let mut command = Command::new(program("lab"));
    command.args(arguments);
    command
}

fn fits(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "wider than 80 columns: {line:?}");
    }
    assert!(!text.contains('\x1b'), "no escape where no terminal is: {text:?}");
}

fn the_list() {
    let (output, stdout, _) = run(lab(&[]));
    assert!(output.status.success());
    fits(&stdout);
    for name in labs() {
        assert!(stdout.contains(&name), "{name} is listed: {stdout}");
    }
    assert!(stdout.lines().last().is_some_and(|line| line.contains("cargo lab")), "how to run one: {stdout}");
}

fn help() {
    let (output, stdout, _) = run(lab(&["--help"]));
    assert!(output.status.success());
    for part in ["Examples:", "cargo lab 01 --compare", "Exit codes:", "--no-predict"] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
}

fn refused_argument() {
    let (output, stdout, stderr) = run(lab(&["00", "--", "--nosuch"]));
    assert_eq!((output.status.code(), stdout.as_str()), (Some(2), ""), "{stderr}");
    assert!(stderr.contains("--nosuch"), "{stderr}");
}

fn reader_of_the_list_gone() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = lab(&[]);
    let child = command.stdout(writer).stderr(Stdio::piped()).spawn().expect("it starts");
    drop(command);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(141), &b""[..]));
}

fn unknown(workspace: &Workspace) {
    for (typed, meant) in [("nosuch", ""), ("77", ""), ("alpa", " did you mean 90-alpha-equal or 91-alpha-unequal?")] {
        let (output, stdout, stderr) = run(workspace.lab(&[typed]));
        assert_eq!((output.status.code(), stdout.as_str()), (Some(2), ""), "{stderr}");
        assert_eq!(stderr, format!("lab: no lab is called {typed:?};{meant} `cargo lab` lists all labs\n"));
    }
}

fn ambiguous(workspace: &Workspace) {
    let (output, _, stderr) = run(workspace.lab(&["alpha"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr.contains("could be 90-alpha-equal or 91-alpha-unequal"), "{stderr}");
}

fn exclusive(workspace: &Workspace) {
    assert_eq!(run(workspace.lab(&["90", "--node", "--compare"])).0.status.code(), Some(2));
    assert_eq!(run(workspace.lab(&["90", "91"])).0.status.code(), Some(2), "which of the two?");
    assert_eq!(run(workspace.lab(&["--node"])).0.status.code(), Some(2), "which lab?");
}

fn missing(workspace: &Workspace, how: &str, tool: &str) {
    let mut command = workspace.lab(&["90", how]);
    command.env("PATH", workspace.path("empty")).env_remove("FORKLORE_NODE");
    let (output, stdout, stderr) = run(command);
    assert_eq!((output.status.code(), stdout.as_str()), (Some(3), ""), "{stderr}");
    assert!(
        stderr.starts_with(&format!("lab: {tool} is not installed: ")) && stderr.contains("apt-get install"),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

fn passed_on(workspace: &Workspace) {
    assert_eq!(run(workspace.lab(&["90", "--", "sh", "exit 7"])).0.status.code(), Some(7));
    assert_eq!(run(workspace.lab(&["90", "--", "sh", "kill -KILL $$"])).0.status.signal(), Some(9));
    assert_eq!(run(workspace.lab(&["90", "--", "sh", "kill -PIPE $$"])).0.status.code(), Some(141));
}

fn piped(workspace: &Workspace) {
    let (output, stdout, stderr) = run(workspace.lab(&["equal"]));
    assert!(output.status.success());
    assert_eq!((stdout.as_str(), stderr.as_str()), ("colour: green\nsize: 4\n", ""));
}

fn broken(workspace: &Workspace) {
    let (output, stdout, stderr) = run(workspace.lab(&["broken"]));
    assert_eq!((output.status.code(), stdout.as_str()), (Some(4), ""));
    assert!(stderr.contains("error") && stderr.contains("main.rs:1"), "the compiler's own words: {stderr}");
    assert!(stderr.ends_with("lab: 92-broken does not compile; the messages above say why\n"), "{stderr}");
}

fn first_run(workspace: &Workspace) {
    let told = "lab: compiling lab-95-library and the crates that it uses, once; this can take a minute\n";
    for expected in [told, ""] {
        let (output, stdout, stderr) = run(workspace.lab(&["95"]));
        assert!(output.status.success() && stdout.ends_with("size: 4\n"), "{stdout}{stderr}");
        assert_eq!(stderr, expected);
    }
}

fn node(workspace: &Workspace) {
    assert_eq!(run(workspace.lab(&["90", "--node"])).1, "colour: green\nsize: 4\n");
}

fn trace(workspace: &Workspace) {
    let (output, stdout, stderr) = run(workspace.lab(&["90", "--trace", "--", "sh", "/bin/true; exit 3"]));
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    fits(&stdout);
    for part in ["execve(", "from here on this process is true", "ended with code 0", "ends with code 3"] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    assert!(!stdout.contains("libc.so"), "the loader is not the lesson: {stdout}");
}

fn trace_json(workspace: &Workspace) {
    let (output, stdout, _) = run(workspace.lab(&["90", "--trace", "--json"]));
    assert!(output.status.success());
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
fn forever(workspace: &Workspace, how: Option<&str>, script: &str) -> Started {
    let arguments: Vec<&str> = ["90"].into_iter().chain(how).chain(["--", "sh", script]).collect();
    let started = Started::new(workspace.lab(&arguments));
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
    let mut command = workspace.lab(&["90", "--", "sh", script]);
    command.current_dir(workspace.path("empty"));
    let started = Started::new(command);
    started.wait_for("ready");
    started.signal_group(Signal::SIGINT);
    let (status, stdout, mark) = started.end();
    assert_eq!((status.code(), stdout.as_str()), (Some(0), "cleaned\n"), "the lab ended well, and so does the tool");
    assert_eq!(mark.leftovers(), [""; 0]);
}

fn predicted(workspace: &Workspace) {
    let mut terminal = Terminal::start(&workspace.lab(&["90"]));
    let question = terminal.shows("Your prediction");
    assert!(question.contains("What will 90-alpha-equal say?") && question.contains("2. two facts"), "{question}");
    terminal.types("2\n");
    let run = terminal.shows("Your prediction was right: two facts.");
    assert!(run.contains("size: 4"), "the answer comes after the run: {run}");
    let (status, rest) = terminal.end();
    assert!(status.success() && rest.contains("It was written that way."), "{rest}");

    let mut terminal = Terminal::start(&workspace.lab(&["90"]));
    terminal.shows("Your prediction");
    terminal.types("1\n");
    terminal.shows("Not as you predicted. The answer is 2: two facts.");
    assert!(terminal.end().0.success());
}

fn predicted_for_node(workspace: &Workspace) {
    let mut terminal = Terminal::start(&workspace.lab(&["90", "--node"]));
    terminal.shows("Your prediction");
    terminal.types("2\n");
    terminal.shows("Your prediction was right: two facts.");
    let (status, rest) = terminal.end();
    assert!(status.success() && rest.contains("The original was written that way."), "{rest}");
}

fn skipped(workspace: &Workspace) {
    let mut terminal = Terminal::start(&workspace.lab(&["90"]));
    terminal.shows("Your prediction");
    terminal.types("purple\n");
    terminal.shows("A number from the list");
    terminal.types("4\n");
    terminal.shows("skipped. The answer comes after the run.");
    assert!(terminal.shows("The answer is 2: two facts.").contains("size: 4"));
    assert!(terminal.end().0.success());

    let mut terminal = Terminal::start(&workspace.lab(&["90"]));
    terminal.shows("Your prediction");
    terminal.types("\n");
    let (status, rest) = terminal.end();
    assert!(status.success() && !rest.contains("predict"), "{rest}");
    assert!(rest.contains("The answer is 2: two facts.") && rest.contains("It was written that way."), "{rest}");

    let (status, shown) = Terminal::start(&workspace.lab(&["90", "--no-predict"])).end();
    assert!(status.success() && !shown.contains("prediction"), "{shown}");
}

fn interrupted_at_the_question(workspace: &Workspace) {
    let rest = interrupt(&workspace.lab(&["90"]), "(Enter skips): ");
    assert!(!rest.contains("size"), "the lab did not run: {rest}");
}

fn interrupted_on_a_terminal(workspace: &Workspace) {
    interrupt(&workspace.lab(&["90", "--", "sh", "echo ready; exec tail -f /dev/null"]), "ready");
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
