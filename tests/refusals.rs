//! What cannot be started, and how well the error says why.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use assert_cmd::cargo_bin_cmd;
use forklore::child_process::{Command, Stdio, exec_file};
use forklore::error::ErrorKind;
use harness::TestResult;
use predicates::prelude::*;
use predicates::str::{contains, starts_with};

fn refusal(command: Command) -> forklore::Error {
    command.spawn().map(|child| child.pid()).expect_err("this cannot be started")
}

#[tokio::test]
async fn errors_name_what_is_missing() {
    let error = refusal(Command::new("no-such-program").arg("x"));
    assert!(matches!(error.kind(), ErrorKind::ProgramNotFound { searched: Some(_) }), "{error}");
    assert_eq!((error.operation(), error.subject()), ("spawn", "no-such-program"));
    assert_eq!(error.code().as_deref(), Some("ENOENT"));

    let error = refusal(Command::new("/no/such/program"));
    assert_eq!(error.to_string(), "spawn /no/such/program: no such file (ENOENT)");

    // Node names the program here.
    let error = refusal(Command::new("true").cwd("/no/such/folder"));
    assert_eq!(
        error.to_string(),
        "spawn true: cannot enter the working directory \"/no/such/folder\": no such file or directory (ENOENT)"
    );
    let error = refusal(Command::new("true").cwd("/dev/null"));
    assert_eq!(error.code().as_deref(), Some("ENOTDIR"));
}

#[tokio::test]
async fn errors_tell_apart_why_a_file_is_not_executed() -> TestResult {
    let folder = tempfile::tempdir()?;
    let script = |name: &str, text: &str, mode: u32| -> std::io::Result<std::path::PathBuf> {
        let path = folder.path().join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
        Ok(path)
    };
    let file = |path: &Path| path.display().to_string();
    let here = ErrorKind::IsDirectory { file: file(folder.path()) };
    assert_eq!(refusal(Command::new(folder.path())).kind(), &here);
    let plain = script("plain", "hello", 0o644)?;
    assert_eq!(refusal(Command::new(&plain)).kind(), &ErrorKind::NotExecutable { file: file(&plain) });
    let by_plain = script("by-plain", &format!("#!{}\n", file(&plain)), 0o755)?;
    assert_eq!(refusal(Command::new(by_plain)).kind(), &ErrorKind::NotExecutable { file: file(&plain) });
    // Below a file there is nothing.
    assert_eq!(refusal(Command::new(plain.join("x"))).code().as_deref(), Some("ENOTDIR"));
    let orphan = script("orphan", "#! /no/such/interpreter -x\n", 0o755)?;
    let interpreter = Some("/no/such/interpreter".to_owned());
    assert_eq!(refusal(Command::new(&orphan)).kind(), &ErrorKind::InterpreterNotFound { interpreter });
    // By name through PATH it is the same file.
    let by_name = refusal(Command::new("orphan").env("PATH", folder.path()));
    assert!(matches!(by_name.kind(), ErrorKind::InterpreterNotFound { .. }), "{by_name}");
    Ok(())
}

#[tokio::test]
async fn a_script_without_shebang_is_run_by_the_shell() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("script");
    fs::write(&path, "echo $1 $2")?;
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    assert_eq!(exec_file(Command::new(path).args(["one", "two"])).await?.stdout_lossy(), "one two\n");
    Ok(())
}

#[tokio::test]
async fn too_many_arguments_and_one_that_is_too_long_are_refused_with_their_size() {
    let error = refusal(Command::new("true").arg("x".repeat(200_000)));
    assert!(matches!(error.kind(), ErrorKind::ArgumentsTooLong { longest: 200_001, .. }), "{error}");
    let error = refusal(Command::new("true").args(vec!["x".repeat(100_000); 100]));
    assert!(matches!(error.kind(), ErrorKind::ArgumentsTooLong { bytes: 10_000_000.., .. }), "{error}");
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_before_anything_starts() {
    for command in [
        Command::new(""),
        Command::new("a\0b"),
        Command::new("true").arg("a\0b"),
        Command::new("true").env("A", "a\0b"),
        Command::new("true").cwd("a\0b"),
        Command::new("true").descriptor(-1, Stdio::Ignore),
    ] {
        let error = refusal(command);
        assert!(matches!(error.kind(), ErrorKind::InvalidInput(_)), "{error}");
    }
    let error = refusal(Command::new("true").descriptor(400, Stdio::Inherit));
    assert_eq!(error.code().as_deref(), Some("EBADF"), "{error}");
    for number in [5_000_000, i32::MAX] {
        let error = refusal(Command::new("true").descriptor(number, Stdio::Pipe));
        assert!(error.to_string().contains("ulimit -n"), "{error}");
    }
}

#[test]
fn outside_a_runtime_spawn_is_an_error_and_not_a_panic() {
    let error = refusal(Command::new("true"));
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}

#[test]
fn without_privilege_another_user_is_eperm_and_without_descriptors_emfile() {
    let refused = "EPERM: spawn (set the user id of) true: operation not permitted (EPERM)\n";
    cargo_bin_cmd!("test-outcast").arg("uid").assert().success().stdout(refused);
    let refused = starts_with("EMFILE: ").and(contains("ulimit -n"));
    cargo_bin_cmd!("test-outcast").arg("emfile").assert().success().stdout(refused);
}

#[test]
fn a_runtime_without_its_drivers_is_a_panic_before_there_is_a_child() {
    let bare = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let spawn = |command: Command| bare.block_on(async { command.spawn().map(|child| child.pid()) });
    let silent = || Command::new("true").stdio([Stdio::Ignore, Stdio::Ignore, Stdio::Ignore]);
    let timed = silent().timeout(std::time::Duration::from_secs(1));
    for command in [silent(), timed] {
        // What was started is killed and reaped on the way out; `lifetime.rs` would find a zombie of this process.
        assert!(catch_unwind(AssertUnwindSafe(|| spawn(command))).is_err());
    }
    let children =
        fs::read_to_string(format!("/proc/self/task/{}/children", nix::unistd::gettid())).unwrap_or_default();
    assert_eq!(children, "", "no child of this thread is left");
}

#[test]
fn a_failed_spawn_leaves_no_descriptor_open() {
    // In a program of its own, since other tests open descriptors in this one.
    cargo_bin_cmd!("test-outcast").arg("count").assert().success().stdout("same number of descriptors\n");
}
