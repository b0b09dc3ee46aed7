//! What to start, and how.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::time::Duration;

use super::{Signal, Stdio};
use crate::ipc::{PRIVATE_VARIABLES, Settings};

/// A program with its arguments and everything else about the start: Node's `spawn(file, args, options)`.
///
/// Each method takes the command and gives it back; [`spawn`](Command::spawn), [`fork`](Command::fork) and [`exec_file`](super::exec_file)
/// use it up, and with it the descriptors that it holds.
///
/// ```no_run
/// # async fn example() -> forklore::Result<()> {
/// use forklore::child_process::{Command, Stdio};
///
/// let mut child = Command::new("wc").arg("-l").stdout(Stdio::Inherit).spawn()?;
/// drop(child.stdin.take()); // end of file for wc
/// println!("{}", child.close().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a command does nothing until it is spawned or executed"]
pub struct Command {
    pub(super) program: OsString,
    pub(super) argv0: Option<OsString>,
    pub(super) arguments: Vec<OsString>,
    /// None: the parent's, as it is at the start.
    pub(super) environment: Option<BTreeMap<OsString, OsString>>,
    pub(super) directory: Option<PathBuf>,
    /// By number in the child. Of 0, 1 and 2, one that is not here is a pipe; above, it is closed.
    pub(super) stdio: BTreeMap<RawFd, Stdio>,
    pub(super) detached: bool,
    pub(super) kill_group: bool,
    pub(super) kill_on_drop: bool,
    pub(super) kill_signal: Signal,
    pub(super) timeout: Option<Duration>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) parent_death_signal: Option<Signal>,
    pub(super) settings: Settings,
}

impl Command {
    /// A command that runs `program`: a path if it holds a slash, otherwise a name that is looked up in the `PATH` of the child's
    /// environment.
    pub fn new(program: impl AsRef<OsStr>) -> Command {
        Command {
            program: program.as_ref().to_owned(),
            argv0: None,
            arguments: Vec::new(),
            environment: None,
            directory: None,
            stdio: BTreeMap::new(),
            detached: false,
            kill_group: false,
            kill_on_drop: false,
            kill_signal: Signal::SIGTERM,
            timeout: None,
            uid: None,
            gid: None,
            parent_death_signal: None,
            settings: Settings::default(),
        }
    }

    /// A command that has `/bin/sh -c` read `line`: Node's `shell: true`. Whoever can put text into the line can run any program.
    pub fn shell(line: impl AsRef<OsStr>) -> Command {
        Command::new("/bin/sh").arg("-c").arg(line)
    }

    /// One more argument. It reaches the program as it is: no shell looks at it.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Command {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// More arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Command {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// What the program sees as its own name; by default what it was started by.
    pub fn argv0(mut self, name: impl AsRef<OsStr>) -> Command {
        self.argv0 = Some(name.as_ref().to_owned());
        self
    }

    /// Adds a variable to the environment that the child gets, or replaces it there.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Command {
        self.environment_mut().insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Removes a variable from the environment that the child gets.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Command {
        self.environment_mut().remove(name.as_ref());
        self
    }

    /// Starts from an empty environment instead of the parent's: with [`env`](Command::env) after it, Node's `env` option.
    pub fn env_clear(mut self) -> Command {
        self.environment = Some(BTreeMap::new());
        self
    }

    pub(super) fn environment_mut(&mut self) -> &mut BTreeMap<OsString, OsString> {
        self.environment.get_or_insert_with(inherited_environment)
    }

    /// The child's working directory. A program given by a relative path is looked for from there.
    pub fn cwd(mut self, directory: impl Into<PathBuf>) -> Command {
        self.directory = Some(directory.into());
        self
    }

    /// The child's descriptors 0, 1, 2, …, in this order: Node's `stdio` option.
    pub fn stdio(mut self, list: impl IntoIterator<Item = Stdio>) -> Command {
        for (number, stdio) in (0..).zip(list) {
            self.stdio.insert(number, stdio);
        }
        self
    }

    /// What the child has at this descriptor. It has those that it is given, and no others of ours, even if somebody forgot to make
    /// one close-on-exec (before kernel 5.11 that one is inherited, as in Node).
    pub fn descriptor(mut self, number: RawFd, stdio: Stdio) -> Command {
        self.stdio.insert(number, stdio);
        self
    }

    /// What the child reads as its input; a pipe if not said otherwise.
    pub fn stdin(self, stdio: Stdio) -> Command {
        self.descriptor(0, stdio)
    }

    /// Where the child writes its output; a pipe if not said otherwise.
    pub fn stdout(self, stdio: Stdio) -> Command {
        self.descriptor(1, stdio)
    }

    /// Where the child writes its errors; a pipe if not said otherwise.
    pub fn stderr(self, stdio: Stdio) -> Command {
        self.descriptor(2, stdio)
    }

    /// Starts the child in a session of its own, without our terminal: neither Ctrl-C nor the terminal's end reach it.
    pub fn detached(mut self) -> Command {
        self.detached = true;
        self
    }

    /// Starts the child in a process group of its own, and sends every signal of ours to the whole group: to what the child has
    /// started in turn as well, which otherwise lives on. Ctrl-C does not reach the group; ending it is then up to us.
    pub fn kill_group(mut self) -> Command {
        self.kill_group = true;
        self
    }

    /// Sends SIGKILL when the [`Child`](super::Child) is dropped and still runs; with [`kill_group`](Command::kill_group) to all of its
    /// group, unless `close` has come. Otherwise it runs on, and is waited for when it ends.
    pub fn kill_on_drop(mut self) -> Command {
        self.kill_on_drop = true;
        self
    }

    /// The signal to send when a limit or the time is up; SIGTERM if not said otherwise.
    pub fn kill_signal(mut self, signal: Signal) -> Command {
        self.kill_signal = signal;
        self
    }

    /// How long the child may run before it is sent [`kill_signal`](Command::kill_signal), once.
    pub fn timeout(mut self, timeout: Duration) -> Command {
        self.timeout = Some(timeout);
        self
    }

    /// The user id to run under, with no supplementary groups. Only a privileged process can change to another one.
    pub fn uid(mut self, uid: u32) -> Command {
        self.uid = Some(uid);
        self
    }

    /// The group id to run under, with no supplementary groups.
    pub fn gid(mut self, gid: u32) -> Command {
        self.gid = Some(gid);
        self
    }

    /// The signal that the kernel sends to the child when we die, however we die. It counts the **thread** that calls
    /// [`spawn`](Command::spawn), so call it from one that lives as long as the process (a current-thread runtime's does).
    pub fn parent_death_signal(mut self, signal: Signal) -> Command {
        self.parent_death_signal = Some(signal);
        self
    }

    /// How the child's channel is to work, if it has one.
    pub fn channel_settings(mut self, settings: Settings) -> Command {
        self.settings = settings;
        self
    }

    /// File and arguments, joined by blanks: what Node calls `error.cmd`.
    pub(super) fn line(&self) -> String {
        let words = std::iter::once(&self.program).chain(&self.arguments);
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    /// The `PATH` of the child's environment.
    pub(super) fn path(&self) -> Option<OsString> {
        match &self.environment {
            Some(environment) => environment.get(OsStr::new("PATH")).cloned(),
            None => std::env::var_os("PATH"),
        }
    }
}

/// Our environment, without what is between us and our parent: a Node child would take the channel's number for its own.
pub(super) fn inherited_environment() -> BTreeMap<OsString, OsString> {
    std::env::vars_os().filter(|(name, _)| !PRIVATE_VARIABLES.iter().any(|private| name == private)).collect()
}

impl<P: AsRef<OsStr>> From<P> for Command {
    fn from(program: P) -> Command {
        Command::new(program)
    }
}
