//! How a program is found: `PATH`, and the `#!` line of a script.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use forklore::Error;
use forklore::child_process::{Command, Output, exec_file};
use forklore::error::ErrorKind;
use kit::Result;
use transcript::Transcript;

/// Returns the error's code when the child's `PATH` names no directory; whether `cat`, which a script's `#!` line names, printed the script;
/// and the error's code when that line names a program that is not there.
pub(crate) async fn try_all(t: &Transcript) -> Result<(String, bool, String)> {
    let path = code(&exec_file(Command::new("true").env("PATH", "/nonexistent")).await);
    t.say(format!("true, with PATH=/nonexistent for the child: {path}"));

    let folder = tempfile::tempdir()?;
    let script = |name: &str, text: &str| -> std::io::Result<_> {
        let path = folder.path().join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(path)
    };
    let text = "#!/bin/cat\nI am read by what my first line names.\n";
    let printed = exec_file(script("itself", text)?).await?.stdout_lossy();
    t.say(&printed);

    let orphan = exec_file(script("orphan", "#!/nonexistent/interpreter\n")?).await;
    t.say(format!("#!/nonexistent/interpreter: {}", code(&orphan)));
    if let Err(ErrorKind::InterpreterNotFound { interpreter: Some(path) }) = orphan.as_ref().map_err(Error::kind) {
        t.say(format!("the file exists; {path}, which it names, does not"));
    }
    Ok((path, printed == text, code(&orphan)))
}

/// The name that Node gives to the error.
fn code(outcome: &forklore::Result<Output>) -> String {
    outcome.as_ref().err().and_then(Error::code).unwrap_or("no error".to_owned())
}
