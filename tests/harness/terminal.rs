//! A pseudo-terminal with a program in its foreground.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, ExitStatus};
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};
use nix::sys::termios::{Termios, tcgetattr};
use nix::unistd::read;

use crate::DEADLINE;
use crate::process::ProcessMark;
use crate::started::end_of;

/// What a person at a terminal sees and types.
#[derive(Debug)]
pub struct Terminal {
    /// The person's side.
    keyboard: File,
    /// The program's side, kept open so that its settings can be read after the program has gone.
    line: OwnedFd,
    child: Option<Child>,
    /// All that has been shown and was not yet waited for.
    shown: String,
    /// What marks the program and everything that it starts.
    pub mark: ProcessMark,
}

impl Terminal {
    /// Starts `command` in a new session on a new terminal of 80 columns.
    pub fn start(command: &Command) -> Terminal {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(Some(&size), None).expect("a terminal");
        let end = || pty.slave.try_clone().expect("a descriptor");
        // Making a terminal the controlling one takes an ioctl in the child; setsid(1) of util-linux does it and execs.
        let mut session = Command::new("setsid");
        session.arg("--ctty").arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => session.env(name, value),
                None => session.env_remove(name),
            };
        }
        session.env("TERM", "xterm").env_remove("NO_COLOR");
        let mark = ProcessMark::put_on(&mut session);
        let child = session.stdin(end()).stdout(end()).stderr(end()).spawn().expect("setsid starts");
        Terminal { keyboard: pty.master.into(), line: pty.slave, child: Some(child), shown: String::new(), mark }
    }

    /// Types keys.
    pub fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes it");
    }

    /// Waits until `text` is shown, and returns what was shown up to there since the last time.
    pub fn shows(&mut self, text: &str) -> String {
        let start = Instant::now();
        loop {
            if let Some(at) = self.shown.find(text) {
                let rest = self.shown.split_off(at + text.len());
                return std::mem::replace(&mut self.shown, rest);
            }
            let left = DEADLINE.saturating_sub(start.elapsed());
            let timeout = PollTimeout::try_from(left).expect("a short time");
            let ready = poll(&mut [PollFd::new(self.keyboard.as_fd(), PollFlags::POLLIN)], timeout).expect("poll");
            assert!(ready > 0, "the terminal never showed {text:?}, but {:?}", self.shown);
            self.take();
        }
    }

    /// Returns the settings of the terminal.
    pub fn settings(&self) -> Termios {
        tcgetattr(&self.line).expect("a terminal")
    }

    /// Waits for the program's end, and returns how it ended and what was shown and not yet waited for.
    pub fn end(&mut self) -> (ExitStatus, String) {
        let status = end_of(self.child.take().expect("it is waited for once"));
        while poll(&mut [PollFd::new(self.keyboard.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO).expect("poll") > 0 {
            self.take();
        }
        (status, std::mem::take(&mut self.shown))
    }

    fn take(&mut self) {
        let mut buffer = [0; 4096];
        let length = read(&self.keyboard, &mut buffer).expect("the terminal is open");
        self.shown += &String::from_utf8_lossy(&buffer[..length]);
    }
}
