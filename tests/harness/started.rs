//! A program in a process group of its own, as a shell starts it, with a mark by which everything that it starts is found.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::DEADLINE;
use crate::process::ProcessMark;

/// The lines of a stream as they come, and in the end all of it.
#[derive(Debug)]
struct OutputLines {
    coming: mpsc::Receiver<String>,
    all: thread::JoinHandle<String>,
}

impl OutputLines {
    fn of(stream: impl Read + Send + 'static) -> OutputLines {
        let (sender, coming) = mpsc::channel();
        let all = thread::spawn(move || {
            let mut all = String::new();
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                all += &line;
                all.push('\n');
                // Not every test listens.
                let _ = sender.send(line);
            }
            all
        });
        OutputLines { coming, all }
    }

    /// Waits for a line; `None` at the deadline or the stream's end.
    fn next(&self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let start = Instant::now();
        while let Ok(said) = self.coming.recv_timeout(DEADLINE.saturating_sub(start.elapsed())) {
            if wanted(&said) {
                return Some(said);
            }
        }
        None
    }

    fn wait_for(&self, line: &str) {
        assert!(self.next(|said| said == line).is_some(), "it never said {line:?}");
    }
}

/// A running program whose stdout and stderr are pipes to the test.
#[derive(Debug)]
pub struct RunningProgram {
    child: Child,
    stdout: OutputLines,
    stderr: OutputLines,
    /// What marks the program and everything that it starts.
    pub mark: ProcessMark,
}

impl RunningProgram {
    /// Starts a program.
    pub fn new(mut command: Command) -> RunningProgram {
        let mark = ProcessMark::put_on(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().expect("it starts");
        let stdout = OutputLines::of(child.stdout.take().expect("a pipe"));
        let stderr = OutputLines::of(child.stderr.take().expect("a pipe"));
        RunningProgram { child, stdout, stderr, mark }
    }

    /// Waits until stderr has had this line.
    pub fn wait_for(&self, line: &str) {
        self.stderr.wait_for(line);
    }

    /// Waits until stdout has had this line.
    pub fn wait_for_output(&self, line: &str) {
        self.stdout.wait_for(line);
    }

    /// Waits until stderr has had a line that ends like this.
    pub fn wait_for_end(&self, end: &str) {
        assert!(self.stderr.next(|said| said.ends_with(end)).is_some(), "it never said anything that ends in {end:?}");
    }

    /// Waits until stdout has had a line that begins like this, and returns the rest of it.
    pub fn wait_for_output_after(&self, start: &str) -> String {
        let said = self.stdout.next(|said| said.starts_with(start));
        let stderr = || self.stderr.coming.try_iter().collect::<Vec<_>>();
        said.unwrap_or_else(|| panic!("no line began with {start:?}; stderr: {:#?}", stderr())).split_off(start.len())
    }

    /// Sends a signal to the whole group, as the terminal does.
    pub fn signal_group(&self, signal: Signal) {
        killpg(self.pid(), signal).expect("the group is there");
    }

    /// Sends a signal to the program alone.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("it is there");
    }

    /// Waits for its end, and returns how it ended and all of its stdout.
    pub fn end(self) -> (ExitStatus, String, ProcessMark) {
        let status = end_of(self.child);
        (status, self.stdout.all.join().expect("read"), self.mark)
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"))
    }
}

/// Waits for a program's end until the deadline.
pub fn end_of(mut child: Child) -> ExitStatus {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait()));
    match ended.recv_timeout(DEADLINE) {
        Ok(status) => status.expect("it can be waited for"),
        Err(_) => {
            let _ = killpg(pid, Signal::SIGKILL);
            panic!("process {pid} did not end in {DEADLINE:?}");
        }
    }
}
