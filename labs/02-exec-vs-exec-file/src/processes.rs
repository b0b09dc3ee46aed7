//! How many processes a command takes.

use forklore::child_process::Output;
use kit::Result;
use transcript::Transcript;

// ANCHOR: processes
/// How many processes it took to run `cat /proc/self/stat`, from its answer: pid (name) state parent …, proc(5). A shell adds a line
/// with its own pid and its parent's.
pub(crate) fn count(t: &Transcript, output: &Output) -> Result<usize> {
    let text = output.stdout_lossy();
    let mut lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let stat = lines.next().ok_or("cat said nothing")?;
    let made: Vec<_> = [(stat[0], stat[3])].into_iter().chain(lines.map(|shell| (shell[0], shell[1]))).collect();
    for ((pid, parent), name) in made.iter().zip(["cat", "the shell"]) {
        t.say(format!("{name} is pid {pid}, its parent is pid {parent}"));
    }
    // From cat up to us without a gap.
    let us = std::process::id().to_string();
    let above = made.iter().skip(1).map(|(pid, _)| *pid).chain([us.as_str()]);
    let unbroken = made.iter().map(|(_, parent)| *parent).eq(above);
    if unbroken { Ok(made.len()) } else { Err(format!("a process is missing between {made:?} and {us}").into()) }
}
// ANCHOR_END: processes
