//! exec gives a line to a shell, execFile gives arguments to a program: who reads what, what it costs, and how each ends.
//!
//! How a program is found is in `lookup.rs`, how many processes it takes in `processes.rs`, and what ends it early in `limits.rs`.

mod limits;
mod lookup;
mod processes;

use std::process::ExitCode;

use forklore::child_process::{Command, DEFAULT_MAX_BUFFER, Output, exec, exec_file};
use kit::Result;
use transcript::{Transcript, yes};

fn main() -> ExitCode {
    transcript::run(&["parent", "exec", "execFile"], parent)
}

async fn parent(t: Transcript) -> Result {
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
    let (path, by_shebang, orphan) = lookup::try_all(&file).await?;

    t.step("How many processes? cat tells its parent");
    let stat = "/proc/self/stat";
    let by_shell = processes::count(&shell, &exec(format!("cat {stat}; echo $$ $PPID")).await?)?;
    let by_file = processes::count(&file, &exec_file(Command::new("cat").arg(stat)).await?)?;

    t.step("What they keep: at most 1 MiB of each stream by default");
    let limit = DEFAULT_MAX_BUFFER;
    let exactly = limits::fill(&file, limit).await;
    let one_more = limits::fill(&file, limit + 1).await;

    let (kill_signal, by_timeout, survived, survived_group) = limits::time_out(&t).await?;

    t.fact("a glob is expanded by exec", yes(globbed.0.stdout == b"/proc/self\n"));
    t.fact("a glob is expanded by execFile", yes(globbed.1.stdout == b"/proc/self\n"));
    t.fact("redirection works in exec", yes(redirected.0.stderr == b"out\n"));
    t.fact("redirection works in execFile", yes(redirected.1.stderr == b"out\n"));
    let ran = |output: &str| yes(output.lines().any(|line| line == "INJECTED"));
    t.fact("the injected command ran under exec", ran(&injected));
    t.fact("the injected command ran under execFile", ran(&quoted));
    t.fact("the child's PATH counts", yes(path == "ENOENT"));
    t.fact("a script is run by what its #! line names", yes(by_shebang));
    t.fact("a missing interpreter", orphan);
    t.fact("processes made by exec", by_shell);
    t.fact("processes made by execFile", by_file);
    t.fact(format!("output of exactly {limit} bytes"), exactly);
    t.fact(format!("output of {} bytes", limit + 1), one_more);
    t.fact("killSignal reported", kill_signal);
    t.fact("after a timeout the shell ended by", by_timeout);
    t.fact("what the shell had started survived", yes(survived));
    t.fact("it survived a kill of the whole group", yes(survived_group));
    Ok(())
}

fn show(output: &Output) -> String {
    format!("stdout {:?}, stderr {:?}", output.stdout_lossy(), output.stderr_lossy())
}
