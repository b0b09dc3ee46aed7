//! `cargo lab NN --trace`: strace's own words about real processes, explained.

use std::process::ExitCode;

use assert_cmd::cargo_bin_cmd;
use harness::{conclude, trial};

fn main() -> ExitCode {
    conclude(vec![
        trial("processes, descriptors, searches and signals are explained", &["strace"], processes),
        trial("a handle is seen to go from process to process", &["strace"], || handles(&["05"])),
        trial("a handle is seen to go from process to process in Node", &["strace", "node"], || {
            handles(&["05", "--node"]);
        }),
    ])
}

fn traced(arguments: &[&str]) -> String {
    let traced = cargo_bin_cmd!("lab").args(arguments).arg("--trace").assert().success();
    let text = String::from_utf8_lossy(&traced.get_output().stdout).into_owned();
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "wider than 80 columns: {line:?}");
    }
    text
}

fn processes() {
    let text = traced(&["02"]);
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

fn handles(arguments: &[&str]) {
    let text = traced(arguments).split_whitespace().collect::<Vec<_>>().join(" ");
    for (call, process) in [("[parent] sendmsg →", "child 1"), ("[child 2] recvmsg ←", "parent")] {
        let message = format!(r#"{call} {process}: {{"cmd":"NODE_HANDLE","#);
        let (_, message) = text.split_once(&message).unwrap_or_else(|| panic!("{message}: {text}"));
        let passed = message.split_once("+ descriptor ").expect("a descriptor goes along").1;
        assert!(passed.split_once(" (").is_some_and(|(_, is)| is.starts_with("TCP 127.0.0.1:")), "{passed}");
    }
    assert!(text.contains(" × "), "repeated calls are counted: {text}");
}
