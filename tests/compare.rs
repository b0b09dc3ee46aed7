//! `cargo lab --compare` from the outside: what it says of two runs, and when it fails.

mod harness;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, OnceLock};

use harness::trial;
use harness::workspace::Workspace;

fn main() -> ExitCode {
    let workspace: Arc<OnceLock<Workspace>> = Arc::default();
    // The first test that needs the workspace creates it. It is removed here, when all tests have ended.
    let compare = |name: &str, test: fn(&Workspace)| {
        let workspace = Arc::clone(&workspace);
        trial(name, &["node"], move || test(workspace.get_or_init(Workspace::new)))
    };
    harness::conclude(vec![
        compare("equal facts are counted", equal),
        compare("a fact that differs is named, and is exit code 1", different),
        compare("a declared difference is expected", declared),
        compare("a declared difference that is gone is exit code 1", gone),
        compare("FORKLORE_NODE names another node", another_node),
    ])
}

/// Compares a lab; returns the exit code, stdout and stderr.
fn compare(workspace: &Workspace, lab: &str, options: &[&str]) -> (i32, String, String) {
    let arguments: Vec<&str> = [lab, "--compare"].iter().chain(options).copied().collect();
    ended(workspace.lab(&arguments))
}

fn ended(mut command: Command) -> (i32, String, String) {
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    for line in stdout.lines().filter(|line| !line.starts_with('{')) {
        assert!(line.chars().count() <= 80, "wider than 80 columns: {line:?}");
    }
    (output.status.code().expect("an exit code"), stdout, stderr)
}

fn equal(workspace: &Workspace) {
    let (code, stdout, stderr) = compare(workspace, "90", &[]);
    assert!(code == 0 && stdout.ends_with("\n2 facts are equal.\n"), "{stdout}{stderr}");
}

fn different(workspace: &Workspace) {
    let (code, stdout, stderr) = compare(workspace, "91", &[]);
    assert_eq!(code, 1, "{stdout}");
    assert_eq!(stderr, "lab: 1 of 2 facts not as expected: different \"size\"\n");
    let (code, stdout, _) = compare(workspace, "91", &["--json"]);
    assert!(
        code == 1 && stdout.ends_with("\"size\",\"rust\":\"5\",\"node\":\"4\",\"verdict\":\"different\"}\n"),
        "{stdout}"
    );
}

fn declared(workspace: &Workspace) {
    let (code, stdout, stderr) = compare(workspace, "93", &[]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("differs, as expected: it"), "{stdout}");
    assert!(stdout.ends_with("\n1 fact is equal, 1 differs as expected.\n"), "{stdout}");
    let (code, stdout, _) = compare(workspace, "93", &["--json"]);
    let verdict = r#""verdict":"differs, as expected","because":"it was written that way"}"#;
    assert!(code == 0 && stdout.trim_end().ends_with(verdict), "{stdout}");
}

fn gone(workspace: &Workspace) {
    let (code, stdout, stderr) = compare(workspace, "94", &[]);
    assert_eq!(code, 1, "{stdout}");
    assert_eq!(stderr, "lab: 1 of 2 facts not as expected: not as declared \"size\"\n");
}

fn another_node(workspace: &Workspace) {
    let node = workspace.path("another-node");
    let script = "#!/bin/sh\n[ \"$1\" != --version ] || { echo v99.1.2; exit; }\nexec node \"$@\"\n";
    fs::write(&node, script).expect("a file");
    let with_node = |options: &[&str]| {
        let mut command = workspace.lab(&[&["90", "--compare"], options].concat());
        command.env("FORKLORE_NODE", &node);
        ended(command)
    };
    let (code, stdout, stderr) = with_node(&[]);
    let told = format!("lab: FORKLORE_NODE is {}: not an executable file\n", node.display());
    assert_eq!((code, stdout, stderr), (3, String::new(), told), "it is not executable yet");

    fs::set_permissions(&node, fs::Permissions::from_mode(0o755)).expect("our file");
    let (code, stdout, stderr) = with_node(&[]);
    assert!(code == 0 && stdout.contains(" Node 99.1.2 "), "{stdout}{stderr}");
    let (_, stdout, _) = with_node(&["--json"]);
    assert_eq!(stdout.lines().next(), Some(r#"{"lab":"90-alpha-equal","versions":{"node":"99.1.2"}}"#));
}
