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
/// Each method takes the command and returns it. [`spawn`](Command::spawn), [`fork`](Command::fork) and
/// [`exec_file`](super::exec_file) consume it, with the descriptors that it holds.
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
    /// Default: the parent's, at the time of the start.
    pub(super) environment: Option<BTreeMap<OsString, OsString>>,
    pub(super) directory: Option<PathBuf>,
    /// By number in the child. Defaults: pipes at 0, 1 and 2, closed above.
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
    /// Creates a command that runs `program`: a path if it contains a slash, else a name to find in the child's `PATH`.
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

    /// Creates a command that runs `/bin/sh -c line`: Node's `shell: true`. Text in the line can run any program.
    pub fn shell(line: impl AsRef<OsStr>) -> Command {
        Command::new("/bin/sh").arg("-c").arg(line)
    }

    /// Adds an argument, which reaches the program unchanged: no shell interprets it.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Command {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Command {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets the name that the program sees as its own. Default: the name that was given to [`new`](Command::new).
    pub fn argv0(mut self, name: impl AsRef<OsStr>) -> Command {
        self.argv0 = Some(name.as_ref().to_owned());
        self
    }

    /// Sets a variable in the child's environment.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Command {
        self.environment_mut().insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Removes a variable from the child's environment.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Command {
        self.environment_mut().remove(name.as_ref());
        self
    }

    /// Clears the child's environment. With [`env`](Command::env) after it, this is Node's `env` option.
    pub fn env_clear(mut self) -> Command {
        self.environment = Some(BTreeMap::new());
        self
    }

    pub(super) fn environment_mut(&mut self) -> &mut BTreeMap<OsString, OsString> {
        self.environment.get_or_insert_with(inherited_environment)
    }

    /// Sets the child's working directory, from which the relative path of a program is resolved.
    pub fn cwd(mut self, directory: impl Into<PathBuf>) -> Command {
        self.directory = Some(directory.into());
        self
    }

    /// Sets the child's descriptors 0, 1, 2, … in this order: Node's `stdio` option.
    pub fn stdio(mut self, list: impl IntoIterator<Item = Stdio>) -> Command {
        for (number, stdio) in (0..).zip(list) {
            self.stdio.insert(number, stdio);
        }
        self
    }

    /// Sets one descriptor of the child. It inherits no others above 2 (before kernel 5.11: none that is
    /// close-on-exec).
    pub fn descriptor(mut self, number: RawFd, stdio: Stdio) -> Command {
        self.stdio.insert(number, stdio);
        self
    }

    /// Sets the child's stdin. Default: a pipe.
    pub fn stdin(self, stdio: Stdio) -> Command {
        self.descriptor(0, stdio)
    }

    /// Sets the child's stdout. Default: a pipe.
    pub fn stdout(self, stdio: Stdio) -> Command {
        self.descriptor(1, stdio)
    }

    /// Sets the child's stderr. Default: a pipe.
    pub fn stderr(self, stdio: Stdio) -> Command {
        self.descriptor(2, stdio)
    }

    /// Starts the child in a new session without a terminal: neither Ctrl-C nor a hangup of the terminal reaches it.
    pub fn detached(mut self) -> Command {
        self.detached = true;
        self
    }

    /// Starts the child in a new process group and sends every signal to the whole group, and so to the processes that
    /// the child started, which would otherwise live on. Ctrl-C does not reach the group.
    pub fn kill_group(mut self) -> Command {
        self.kill_group = true;
        self
    }

    /// Sends SIGKILL if the [`Child`](super::Child) is dropped while it runs; with [`kill_group`](Command::kill_group)
    /// to its whole group, unless `close` has come. By default it runs on and is reaped when it ends.
    pub fn kill_on_drop(mut self) -> Command {
        self.kill_on_drop = true;
        self
    }

    /// Sets the signal to send when a limit or the timeout is exceeded. Default: SIGTERM.
    pub fn kill_signal(mut self, signal: Signal) -> Command {
        self.kill_signal = signal;
        self
    }

    /// Sets the time after which the child is sent [`kill_signal`](Command::kill_signal), once. Default: none.
    pub fn timeout(mut self, timeout: Duration) -> Command {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the user id, without supplementary groups. Only a privileged process can change to another user.
    pub fn uid(mut self, uid: u32) -> Command {
        self.uid = Some(uid);
        self
    }

    /// Sets the group id, without supplementary groups.
    pub fn gid(mut self, gid: u32) -> Command {
        self.gid = Some(gid);
        self
    }

    /// Sets the signal that the kernel sends to the child when the **thread** that called [`spawn`](Command::spawn)
    /// exits, so call that from one that lives as long as the process (the thread of a current-thread runtime does).
    pub fn parent_death_signal(mut self, signal: Signal) -> Command {
        self.parent_death_signal = Some(signal);
        self
    }

    /// Sets the settings of the child's channel, if it has one.
    pub fn channel_settings(mut self, settings: Settings) -> Command {
        self.settings = settings;
        self
    }

    /// Changes the settings of the child's channel.
    pub(crate) fn map_channel_settings(mut self, change: impl FnOnce(Settings) -> Settings) -> Command {
        self.settings = change(self.settings);
        self
    }

    /// Returns the program's name, for error messages.
    pub(super) fn name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }

    /// Joins the program and its arguments with spaces: Node's `error.cmd`.
    pub(super) fn line(&self) -> String {
        let words = std::iter::once(&self.program).chain(&self.arguments);
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    /// Returns the `PATH` of the child's environment.
    pub(super) fn path(&self) -> Option<OsString> {
        match &self.environment {
            Some(environment) => environment.get(OsStr::new("PATH")).cloned(),
            None => std::env::var_os("PATH"),
        }
    }
}

/// Returns this process's environment without the variables of its channel: a Node child would use them.
pub(super) fn inherited_environment() -> BTreeMap<OsString, OsString> {
    std::env::vars_os().filter(|(name, _)| !PRIVATE_VARIABLES.iter().any(|private| name == private)).collect()
}

impl<P: AsRef<OsStr>> From<P> for Command {
    fn from(program: P) -> Command {
        Command::new(program)
    }
}
