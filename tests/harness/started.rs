//! A program in a process group of its own, as a shell starts it, with a mark by which all that comes from it is found.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fs, thread};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// How long anything may take before the test fails; reached only when something is wrong.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The environment variable that carries the mark.
const MARK: &str = "FORKLORE_TEST_MARK";

/// A value for [`MARK`] that no other test has.
#[derive(Debug, Clone)]
pub(crate) struct Mark(String);

impl Mark {
    /// Marks what `command` will start, and everything that it starts in turn.
    pub(crate) fn put_on(command: &mut Command) -> Mark {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mark = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        command.env(MARK, &mark);
        Mark(mark)
    }

    /// The marked processes that are still there. One that is dying is given time to die, by yielding until it has.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let start = Instant::now();
        loop {
            let found = self.alive();
            if found.is_empty() || start.elapsed() > Duration::from_secs(5) {
                return found;
            }
            thread::yield_now();
        }
    }

    /// A zombie is none of them: its environment is gone.
    fn alive(&self) -> Vec<String> {
        let marked = format!("{MARK}={}", self.0);
        let has_mark = |pid: &u32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == marked.as_bytes())
        };
        let entries = fs::read_dir("/proc").expect("/proc").flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let describe = |pid| {
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            format!("{pid} {}", String::from_utf8_lossy(&command).replace('\0', " "))
        };
        pids.filter(has_mark).map(describe).collect()
    }
}

/// What a stream says, line by line as it comes, and in the end all of it.
#[derive(Debug)]
struct Lines {
    coming: mpsc::Receiver<String>,
    all: thread::JoinHandle<String>,
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Lines {
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
        Lines { coming, all }
    }

    /// The next line of which this is true; none by the deadline, or the stream's end.
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

/// A running program whose stdout and stderr are pipes to us.
#[derive(Debug)]
pub(crate) struct Started {
    child: Child,
    stdout: Lines,
    stderr: Lines,
    pub(crate) mark: Mark,
}

impl Started {
    pub(crate) fn new(mut command: Command) -> Started {
        let mark = Mark::put_on(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().expect("it starts");
        let stdout = Lines::of(child.stdout.take().expect("a pipe"));
        let stderr = Lines::of(child.stderr.take().expect("a pipe"));
        Started { child, stdout, stderr, mark }
    }

    /// Waits until stderr has had this line.
    pub(crate) fn wait_for(&self, line: &str) {
        self.stderr.wait_for(line);
    }

    /// Waits until stdout has had this line.
    pub(crate) fn wait_for_output(&self, line: &str) {
        self.stdout.wait_for(line);
    }

    /// Waits until stderr has had a line that ends like this.
    pub(crate) fn wait_for_end(&self, end: &str) {
        assert!(self.stderr.next(|said| said.ends_with(end)).is_some(), "it never said anything that ends in {end:?}");
    }

    /// Waits until stdout has had a line that begins like this, and gives the rest of it.
    pub(crate) fn wait_for_output_after(&self, start: &str) -> String {
        let said = self.stdout.next(|said| said.starts_with(start));
        said.unwrap_or_else(|| panic!("it never said anything that begins with {start:?}")).split_off(start.len())
    }

    /// Sends a signal to the whole group, as the terminal does.
    pub(crate) fn signal_group(&self, signal: Signal) {
        killpg(self.pid(), signal).expect("the group is there");
    }

    /// Sends a signal to the program alone.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("it is there");
    }

    /// How it ended, and all of its stdout.
    pub(crate) fn end(self) -> (ExitStatus, String, Mark) {
        let status = end_of(self.child);
        (status, self.stdout.all.join().expect("read"), self.mark)
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"))
    }
}

/// Waits for a program's end, but not for ever.
pub(crate) fn end_of(mut child: Child) -> ExitStatus {
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
