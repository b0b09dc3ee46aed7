//! exec gives a line to a shell, execFile gives arguments to a program: who reads what, what it costs, and how each ends.
//!
//! What happens when the time is up is in `timeout.rs`.

mod timeout;

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::ExitCode;

use forklore::Result;
use forklore::child_process::{Command, DEFAULT_MAX_BUFFER, Output, exec, exec_file};
use forklore::error::ErrorKind;
use transcript::{Transcript, yes};

fn main() -> ExitCode {
    transcript::run(&["parent", "exec", "execFile"], |t| async move {
        let (shell, file) = (t.voice("exec"), t.voice("execFile"));

        t.step("Who reads the line? A glob, a redirection");
        t.say("exec gives a line to /bin/sh, execFile gives arguments to a program");
        // ANCHOR: lines
        let glob = "/proc/sel[f]";
        let globbed = (exec(format!("echo {glob}")).await?, exec_file(Command::new("echo").arg(glob)).await?);
        shell.say(format!("echo {glob} → {}", show(&globbed.0)));
        file.say(format!("echo {glob} → {}", show(&globbed.1)));
        let redirected = (exec("echo out >&2").await?, exec_file(Command::new("echo").args(["out", ">&2"])).await?);
        shell.say(format!("echo out >&2 → {}", show(&redirected.0)));
        file.say(format!("echo out >&2 → {}", show(&redirected.1)));

        let hostile = "x; echo INJECTED";
        t.step(format!("A hostile argument: {hostile}"));
        let injected = exec(format!("echo hello {hostile}")).await?.stdout_lossy();
        let quoted = exec_file(Command::new("echo").args(["hello", hostile])).await?.stdout_lossy();
        shell.say(&injected);
        file.say(&quoted);
        // ANCHOR_END: lines

        t.step("How the program is found");
        let path = exec_file(Command::new("true").env("PATH", "/nonexistent")).await;
        file.say(format!("true, with PATH=/nonexistent for the child: {}", code(&path)));
        let (by_shebang, orphan) = scripts(&file).await?;

        t.step("How many processes? cat tells its parent");
        let stat = "/proc/self/stat";
        let by_shell = processes(&shell, &exec(format!("cat {stat}; echo $$ $PPID")).await?)?;
        let by_file = processes(&file, &exec_file(Command::new("cat").arg(stat)).await?)?;

        t.step("What they keep: at most 1 MiB of each stream by default");
        let limit = DEFAULT_MAX_BUFFER;
        let exactly = fill(&file, limit).await;
        let one_more = fill(&file, limit + 1).await;

        let timeouts = timeout::steps(&t).await?;

        t.fact("a glob is expanded by exec", yes(globbed.0.stdout == b"/proc/self\n"));
        t.fact("a glob is expanded by execFile", yes(globbed.1.stdout == b"/proc/self\n"));
        t.fact("redirection works in exec", yes(redirected.0.stderr == b"out\n"));
        t.fact("redirection works in execFile", yes(redirected.1.stderr == b"out\n"));
        let ran = |output: &str| yes(output.lines().any(|line| line == "INJECTED"));
        t.fact("the injected command ran under exec", ran(&injected));
        t.fact("the injected command ran under execFile", ran(&quoted));
        t.fact("the child's PATH counts", yes(code(&path) == "ENOENT"));
        t.fact("a script is run by what its #! line names", yes(by_shebang));
        t.fact("a missing interpreter", orphan);
        t.fact("processes made by exec", by_shell);
        t.fact("processes made by execFile", by_file);
        t.fact(format!("output of exactly {limit} bytes"), exactly);
        t.fact(format!("output of {} bytes", limit + 1), one_more);
        t.fact("killSignal reported", timeouts.kill_signal);
        t.fact("after a timeout the shell ended by", timeouts.shell);
        t.fact("what the shell had started survived", yes(timeouts.survived));
        t.fact("it survived a kill of the whole group", yes(timeouts.survived_group));
        Ok(())
    })
}

/// Two scripts: one that its `#!` line gives to `cat`, which prints it, and one that names a program that is not there.
async fn scripts(t: &Transcript) -> std::result::Result<(bool, String), Box<dyn Error>> {
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
    if let Err(ErrorKind::InterpreterNotFound { interpreter: Some(path) }) = orphan.as_ref().map_err(|e| e.kind()) {
        t.say(format!("the file exists; {path}, which it names, does not"));
    }
    Ok((printed == text, code(&orphan)))
}

// ANCHOR: processes
/// How many processes it took to run `cat /proc/self/stat`, from its answer: pid (name) state parent …, proc(5). A shell adds a line
/// with its own pid and its parent's.
fn processes(t: &Transcript, output: &Output) -> std::result::Result<usize, Box<dyn Error>> {
    let text = output.stdout_lossy();
    let mut lines = text.lines().map(|line| line.split_whitespace());
    let mut stat = lines.next().ok_or("cat said nothing")?;
    let mut made = vec![(stat.next().ok_or("no pid")?, stat.nth(2).ok_or("no parent")?)];
    t.say(format!("cat is pid {}, its parent is pid {}", made[0].0, made[0].1));
    if let Some(mut shell) = lines.next() {
        made.push((shell.next().ok_or("no pid")?, shell.next().ok_or("no parent")?));
        t.say(format!("the shell is pid {}, its parent is pid {}", made[1].0, made[1].1));
    }
    // From cat up to us without a gap.
    let us = std::process::id().to_string();
    let parents = made.iter().skip(1).map(|(pid, _)| *pid).chain([us.as_str()]);
    let unbroken = made.iter().zip(parents).all(|((_, parent), above)| *parent == above);
    if unbroken { Ok(made.len()) } else { Err(format!("somebody is missing between {made:?} and {us}").into()) }
}
// ANCHOR_END: processes

/// Has a program write this many bytes; gives what became of them.
async fn fill(t: &Transcript, bytes: usize) -> String {
    let head = Command::new("head").args(["-c", &bytes.to_string(), "/dev/zero"]);
    match exec_file(head).await {
        Ok(output) => {
            t.say(format!("{bytes} bytes: accepted, {} kept", output.stdout.len()));
            "accepted".to_owned()
        }
        Err(error) => {
            let why = match error.kind() {
                ErrorKind::MaxBuffer { stream, limit } => format!("the limit of {stream} is {limit}"),
                other => other.to_string(),
            };
            t.say(format!("{bytes} bytes: refused, {why}"));
            format!("refused, {} kept", error.stdout().len())
        }
    }
}

fn show(output: &Output) -> String {
    format!("stdout {:?}, stderr {:?}", output.stdout_lossy(), output.stderr_lossy())
}

/// The name that Node gives to the error.
fn code(outcome: &Result<Output>) -> String {
    outcome.as_ref().err().and_then(forklore::Error::code).unwrap_or("no error".to_owned())
}
