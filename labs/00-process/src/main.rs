//! What a process is: who it is, what goes in and out, how it ends; and what `fork(2)` copies that Node's `fork()` does not.
//!
//! The parent is here, its children are in `child.rs`, and the copy that `fork(2)` makes is in `copy.rs`.

mod child;
mod copy;

use std::process::ExitCode;

use forklore::child_process::{Command, Signal, exec_file};
use kit::{Result, proc, roles};
use transcript::{ArrowKind, Transcript, yes};

fn main() -> ExitCode {
    match roles::played().as_deref() {
        Some("introduce") => transcript::run_child(child::introduce),
        Some("look") => transcript::run_child(child::look),
        Some("fail") => child::fail(),
        _ => transcript::run(&["parent", "child", "copy"], parent),
    }
}

async fn parent(t: Transcript) -> Result {
    let child = t.voice("child");
    t.step("Who am I?");
    let me = std::process::id();
    t.say(format!("pid {me}, started by pid {}", std::os::unix::process::parent_id()));
    t.say(format!("argv: {}", std::env::args().map(|word| base(&word).to_owned()).collect::<Vec<_>>().join(" ")));
    t.say(format!("cwd: {}", std::env::current_dir()?.display()));
    t.say(format!("title: {:?}", proc::name(me)?));
    t.say(format!("up for {:.2} s, memory {}", proc::uptime()?, proc::mib(proc::resident()?)));
    let introduced = roles::command(&t, "child", "introduce")?.env("GREETING", "good morning");
    let ppid = exec_file(introduced).await?.stdout_lossy();
    t.say("a child gets its cwd and its environment from its parent");

    t.step("What goes into the stdin of cat comes out of its stdout");
    let sent = "hello\n";
    t.arrow(ArrowKind::Message, "child", format!("{sent:?}, {} bytes, and the end", sent.len()));
    let echoed = exec_file("cat").input(sent).await?.stdout_lossy();
    child.arrow(ArrowKind::Message, "parent", format!("{echoed:?}, {} bytes", echoed.len()));

    // ANCHOR: ends
    t.step("How a process ends");
    let code = Command::shell("exit 7").spawn()?.exit().await?;
    child.arrow(ArrowKind::Exit, "parent", format!("{code}: it said exit 7"));
    let victim = Command::new("cat").spawn()?;
    t.arrow(ArrowKind::Signal, "child", "SIGKILL");
    victim.kill(Signal::SIGKILL)?;
    let signal = victim.exit().await?;
    child.arrow(ArrowKind::Exit, "parent", format!("no code, signal {signal}"));
    let uncaught = exec_file(roles::command(&t, "child", "fail")?).await.err().ok_or("it ended in success")?;
    // ANCHOR_END: ends
    let stderr = String::from_utf8_lossy(uncaught.stderr());
    let mut lines = stderr.lines().filter(|line| !line.is_empty());
    let place = lines.next().and_then(|line| line.split("panicked at ").nth(1)).unwrap_or("?");
    child.say(format!("panicked at {}, …", base(place.trim_end_matches(':'))));
    child.say(format!("… and says {:?}", lines.next().unwrap_or("")));
    let uncaught = uncaught.exit_code().ok_or(uncaught)?;
    child.arrow(ArrowKind::Exit, "parent", format!("code {uncaught}"));

    let seen_by_copy = copy::fork(&t)?;

    // ANCHOR: program
    t.step("Node's fork() copies nothing: it starts a new program, and so do we");
    child::VARIABLE.set("old".to_owned())?;
    t.say(format!("my VARIABLE is {}", child::variable()));
    let seen_by_new_program = exec_file(roles::command(&t, "child", "look")?).await?.stdout_lossy();
    // ANCHOR_END: program

    t.fact("the child's parent is this process", yes(ppid == me.to_string()));
    t.fact("bytes echoed", format!("{} of {}", echoed.len(), sent.len()));
    t.fact("exit code reported", code.code().map_or("none".to_owned(), |code| code.to_string()));
    t.fact("signal reported", signal.signal().map_or("none".to_owned(), |signal| signal.to_string()));
    t.fact("an uncaught error ends in success", yes(uncaught == 0));
    t.fact("the variable in a fork(2) child", seen_by_copy);
    t.fact("the variable in a spawned child", seen_by_new_program);
    Ok(())
}

/// The last part of a path.
fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
