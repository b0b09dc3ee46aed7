//! What cannot be started, and how well the error says why.

use std::fs;

use forklore::child_process::{Command, Stdio, exec_file};
use forklore::error::ErrorKind;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// What a program of the tests prints.
async fn said(argument: &str) -> Result<String, forklore::Error> {
    Ok(exec_file(Command::new(env!("CARGO_BIN_EXE_test-outcast")).arg(argument)).await?.stdout_lossy())
}

fn refusal(command: Command) -> forklore::Error {
    command.spawn().map(|child| child.pid()).expect_err("this cannot be started")
}

#[tokio::test]
async fn errors_name_what_is_missing() -> Outcome {
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
    Ok(())
}

#[tokio::test]
async fn errors_tell_apart_why_a_file_is_not_executed() -> Outcome {
    let folder = tempfile::tempdir()?;
    let script = |name: &str, text: &str, mode: u32| -> std::io::Result<std::path::PathBuf> {
        let path = folder.path().join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
        Ok(path)
    };
    assert_eq!(refusal(Command::new(folder.path())).kind(), &ErrorKind::IsDirectory);
    assert_eq!(refusal(Command::new(script("plain", "hello", 0o644)?)).kind(), &ErrorKind::NotExecutable);
    let orphan = script("orphan", "#! /no/such/interpreter -x\n", 0o755)?;
    let interpreter = Some("/no/such/interpreter".to_owned());
    assert_eq!(refusal(Command::new(&orphan)).kind(), &ErrorKind::InterpreterNotFound { interpreter });
    // By name through PATH it is the same file.
    let by_name = refusal(Command::new("orphan").env("PATH", folder.path()));
    assert!(matches!(by_name.kind(), ErrorKind::InterpreterNotFound { .. }), "{by_name}");
    Ok(())
}

#[tokio::test]
async fn a_script_without_shebang_is_run_by_the_shell() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("script");
    fs::write(&path, "echo $1 $2")?;
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    assert_eq!(exec_file(Command::new(path).args(["one", "two"])).await?.stdout_lossy(), "one two\n");
    Ok(())
}

#[tokio::test]
async fn too_many_arguments_and_one_that_is_too_long_are_refused_with_their_size() -> Outcome {
    let error = refusal(Command::new("true").arg("x".repeat(200_000)));
    assert!(matches!(error.kind(), ErrorKind::ArgumentsTooLong { longest: 200_001, .. }), "{error}");
    let error = refusal(Command::new("true").args(vec!["x".repeat(100_000); 100]));
    assert!(matches!(error.kind(), ErrorKind::ArgumentsTooLong { bytes: 10_000_000.., .. }), "{error}");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_before_anything_starts() -> Outcome {
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
    let error = refusal(Command::new("true").descriptor(i32::MAX - 1, Stdio::Pipe));
    assert!(error.operation().contains("descriptors"), "{error}");
    Ok(())
}

#[test]
fn outside_a_runtime_spawn_is_an_error_and_not_a_panic() {
    let error = refusal(Command::new("true"));
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}

#[tokio::test]
async fn without_privilege_another_user_is_eperm_and_without_descriptors_emfile() -> Outcome {
    assert_eq!(said("uid").await?, "EPERM: spawn (set the user id of) true: operation not permitted (EPERM)\n");
    let said = said("emfile").await?;
    assert!(said.starts_with("EMFILE: ") && said.contains("ulimit -n"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_failed_spawn_leaves_no_descriptor_open() -> Outcome {
    // In a program of its own, since other tests open descriptors in this one.
    assert_eq!(said("count").await?, "same number of descriptors\n");
    Ok(())
}
