//! `cargo lab NN --trace`: strace's own words about real processes, explained.

use std::env;
use std::process::{Command, Output, Stdio};

/// Nothing where a program is not installed, except that `FORKLORE_REQUIRE_TOOLS=1` asks for it.
fn traced(arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    let output = command.args(arguments).arg("--trace").stdin(Stdio::null()).output();
    let Output { status, stdout, stderr } = output.expect("it starts");
    let stderr = String::from_utf8_lossy(&stderr);
    if status.code() == Some(3) && env::var_os("FORKLORE_REQUIRE_TOOLS").is_none_or(|value| value != "1") {
        eprintln!("not tested: {stderr}");
        return None;
    }
    assert!(status.success(), "{stderr}");
    let text = String::from_utf8(stdout).expect("text");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "wider than 80 columns: {line:?}");
    }
    Some(text)
}

#[test]
fn processes_descriptors_searches_and_signals_are_told() {
    let Some(text) = traced(&["02"]) else { return };
    for told in [
        "descriptor 1 is now the pipe's writing end, ",
        "descriptor 1 means again what it meant before: ",
        "no such file, or its interpreter is missing\n",
        "] is killed by SIGKILL\n",
        "] SIGTERM arrives, sent by parent\n",
        "] is killed by SIGTERM\n",
    ] {
        assert!(text.contains(told), "{told:?}: {text}");
    }
    for noise in ["fcntl(", "SIGCHLD arrives", "descriptor 0 now means what 100 meant"] {
        assert!(!text.contains(noise), "{noise:?}: {text}");
    }
}

#[test]
fn a_handle_is_seen_to_go_from_process_to_process_in_both_languages() {
    for language in [&["05"][..], &["05", "--node"]] {
        let Some(text) = traced(language) else { return };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for (call, process) in [("[parent] sendmsg →", "child 1"), ("[child 2] recvmsg ←", "parent")] {
            let message = format!(r#"{call} {process}: {{"cmd":"NODE_HANDLE","#);
            let (_, message) = text.split_once(&message).unwrap_or_else(|| panic!("{message}: {text}"));
            let passed = message.split_once("+ descriptor ").expect("a descriptor goes along").1;
            assert!(passed.split_once(" (").is_some_and(|(_, is)| is.starts_with("TCP 127.0.0.1:")), "{passed}");
        }
        assert!(text.contains(" × "), "repeated calls are counted: {text}");
    }
}
