//! `cargo lab 02 --trace`: strace's own words about real processes, explained.

use std::env;
use std::process::{Command, Output, Stdio};

/// Nothing where strace is not installed, except that `FORKLORE_REQUIRE_TOOLS=1` asks for it.
fn traced(lab: &str) -> Option<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_lab")).args([lab, "--trace"]).stdin(Stdio::null()).output();
    let Output { status, stdout, stderr } = output.expect("it starts");
    let stderr = String::from_utf8_lossy(&stderr);
    if status.code() == Some(3) && env::var_os("FORKLORE_REQUIRE_TOOLS").is_none_or(|value| value != "1") {
        eprintln!("not tested: {stderr}");
        return None;
    }
    assert!(status.success(), "{stderr}");
    Some(String::from_utf8(stdout).expect("text"))
}

#[test]
fn processes_descriptors_searches_and_signals_are_told_without_a_gap() {
    let Some(text) = traced("02") else { return };
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "wider than 80 columns: {line:?}");
    }

    // dash starts programs by vfork, bash by clone: whoever acts was seen to be made.
    let actors = text.lines().filter_map(|line| line.trim().strip_prefix("[pid ")?.split_once(']'));
    for (pid, _) in actors {
        assert!(text.contains(&format!(") = {pid}\n")), "nobody was seen to make {pid}: {text}");
    }

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
