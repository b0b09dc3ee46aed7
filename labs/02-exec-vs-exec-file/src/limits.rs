//! What ends a program early: too much output, and too much time. Who is killed, and who is not.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use forklore::child_process::{Command, Exec, Signal, exec, exec_file};
use forklore::error::ErrorKind;
use kit::Result;
use transcript::Transcript;

/// Has a program write this many bytes; returns what became of them.
pub(crate) async fn fill(t: &Transcript, bytes: usize) -> String {
    let head = Command::new("head").args(["-c", &bytes.to_string(), "/dev/zero"]);
    let error = match exec_file(head).await {
        Ok(output) => {
            t.say(format!("{bytes} bytes: accepted, {} kept", output.stdout.len()));
            return "accepted".to_owned();
        }
        Err(error) => error,
    };
    let why = match error.kind() {
        ErrorKind::MaxBuffer { stream, limit } => format!("the limit of {stream} is {limit}"),
        other => other.to_string(),
    };
    t.say(format!("{bytes} bytes: refused, {why}"));
    format!("refused, {} kept", error.stdout().len())
}

/// The shell starts cat, tells its pid, and waits for it. 3 is a socket to this lab: what cat reads there it sends back.
const LINE: &str = "cat <&3 >&3 & echo $!; wait";
/// Enough for a shell to say one word on a busy machine.
const TIME: Duration = Duration::from_millis(300);

/// Returns the signal that ended a `cat` and the one that ended a shell; whether what the shell had started survived it, and whether it
/// survived a signal to the whole group.
pub(crate) async fn time_out(t: &Transcript) -> Result<(String, String, bool, bool)> {
    t.step("timeout: exec kills the shell, and only the shell");
    let short = Duration::from_millis(50);
    let (held, given) = UnixStream::pair()?;
    let cat = exec_file(Command::new("cat").stdin(OwnedFd::from(given).into()));
    let outcome = cat.timeout(short).kill_signal(Signal::SIGKILL).await;
    let kill_signal = ended_by(&outcome.err().ok_or("cat ended by itself")?);
    drop(held);
    let text = format!("cat, timeout {} ms, killSignal SIGKILL: ended by {kill_signal}", short.as_millis());
    t.voice("execFile").say(text);
    t.voice("exec").say(format!("{LINE}, where 3 is a socket to me"));
    let (shell, survived) = out_of_time(t, |shell| shell).await?;

    t.step("The cure: a group of its own, and a signal to all of it");
    t.voice("exec").say("the same line, with kill_group()");
    let (_, survived_group) = out_of_time(t, Exec::kill_group).await?;
    Ok((kill_signal, shell, survived, survived_group))
}

// ANCHOR: out-of-time
/// Runs [`LINE`] until its time is up; returns what ended the shell, and whether cat survived it.
async fn out_of_time(t: &Transcript, options: impl FnOnce(Exec) -> Exec) -> Result<(String, bool)> {
    // cat ends when our end does: it cannot outlive this lab.
    let (mut ours, theirs) = UnixStream::pair()?;
    let theirs = OwnedFd::from(theirs);
    let outcome = options(exec(LINE).with(|shell| shell.descriptor(3, theirs.into())).timeout(TIME)).await;
    let error = outcome.err().ok_or("the shell ended by itself")?;
    let shell = ended_by(&error);
    t.voice("exec").say(format!("timeout {} ms: ended by {shell}", TIME.as_millis()));
    let pid = String::from_utf8_lossy(error.stdout()).trim().to_owned();
    t.voice("exec").say(format!("cat was pid {pid}: what was printed before the end is kept"));

    // A signal was sent before this ping: whoever it was for dies before it can read another byte.
    let mut echo = [0; 4];
    let survived = ours.write_all(b"ping").is_ok() && ours.read_exact(&mut echo).is_ok();
    if survived {
        t.say(format!("pid {pid} still runs, and echoes {:?}", String::from_utf8_lossy(&echo)));
        ours.shutdown(Shutdown::Write)?;
        ours.read_to_end(&mut Vec::new())?;
        t.say("gave it the end of its input, and saw it end");
    } else {
        t.say(format!("pid {pid} does not echo: it has ended, too"));
    }
    Ok((shell, survived))
}
// ANCHOR_END: out-of-time

fn ended_by(error: &forklore::Error) -> String {
    error.signal().and_then(Signal::from_number).map_or("itself".to_owned(), |signal| signal.to_string())
}
