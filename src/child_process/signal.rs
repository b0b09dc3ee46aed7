//! Signals by number and name.

use std::fmt;
use std::str::FromStr;

/// A signal, 1 to 64, real-time signals (signal(7)) included: for a child that one of those ended, Node reports
/// success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(i32);

impl Signal {
    /// Hangup: the terminal was closed.
    pub const SIGHUP: Signal = Signal(libc::SIGHUP);
    /// Interrupt: Ctrl-C.
    pub const SIGINT: Signal = Signal(libc::SIGINT);
    /// Abort: a program ended itself because of an error.
    pub const SIGABRT: Signal = Signal(libc::SIGABRT);
    /// Ends a process; cannot be caught, blocked or ignored.
    pub const SIGKILL: Signal = Signal(libc::SIGKILL);
    /// Stops a process until SIGCONT; cannot be caught, blocked or ignored.
    pub const SIGSTOP: Signal = Signal(libc::SIGSTOP);
    /// Continues a stopped process.
    pub const SIGCONT: Signal = Signal(libc::SIGCONT);
    /// User-defined.
    pub const SIGUSR1: Signal = Signal(libc::SIGUSR1);
    /// User-defined.
    pub const SIGUSR2: Signal = Signal(libc::SIGUSR2);
    /// A write to a pipe without a reader.
    pub const SIGPIPE: Signal = Signal(libc::SIGPIPE);
    /// Asks a process to end; the default of `kill`.
    pub const SIGTERM: Signal = Signal(libc::SIGTERM);

    /// Returns the signal of this number, if Linux has one.
    pub fn from_number(number: i32) -> Option<Signal> {
        (1..=64).contains(&number).then_some(Signal(number))
    }

    /// Returns the real-time signal `SIGRTMIN + offset`, if it exists. glibc reserves the kernel's first two.
    pub fn real_time(offset: u8) -> Option<Signal> {
        let number = libc::SIGRTMIN() + i32::from(offset);
        (number <= libc::SIGRTMAX()).then_some(Signal(number))
    }

    /// Returns the number.
    pub fn number(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Signal {
    /// `SIGTERM`, `SIGRTMIN+2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let above = self.0 - libc::SIGRTMIN();
        match nix::sys::signal::Signal::try_from(self.0) {
            Ok(named) => f.pad(named.as_str()),
            Err(_) if above == 0 => f.pad("SIGRTMIN"),
            Err(_) if above > 0 => f.pad(&format!("SIGRTMIN+{above}")),
            Err(_) => f.pad(&format!("signal {}", self.0)),
        }
    }
}

impl FromStr for Signal {
    type Err = String;

    /// Parses what `Display` prints, a bare number, or a name without `SIG`.
    fn from_str(text: &str) -> Result<Signal, String> {
        let unknown =
            || format!("{text:?} is not a signal: use a name such as SIGTERM or SIGRTMIN+1, or a number from 1 to 64");
        if let Ok(number) = text.parse() {
            return Signal::from_number(number).ok_or_else(unknown);
        }
        let name = if text.starts_with("SIG") { text.to_owned() } else { format!("SIG{text}") };
        if name == "SIGRTMIN" {
            return Signal::real_time(0).ok_or_else(unknown);
        }
        if let Some(offset) = name.strip_prefix("SIGRTMIN+") {
            // `parse` would accept a sign.
            let digits = offset.bytes().all(|byte| byte.is_ascii_digit()).then_some(offset);
            return digits.and_then(|digits| digits.parse().ok()).and_then(Signal::real_time).ok_or_else(unknown);
        }
        nix::sys::signal::Signal::from_str(&name).map(|signal| Signal(signal as i32)).map_err(|_| unknown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_has_a_name_that_is_understood() {
        for number in 1..=64 {
            let signal = Signal::from_number(number).expect("in range");
            if signal.to_string().starts_with("SIG") {
                assert_eq!(signal.to_string().parse(), Ok(signal));
            } else {
                assert!((32..34).contains(&number), "only glibc's own two have no name: {number}");
            }
        }
        assert_eq!("TERM".parse(), Ok(Signal::SIGTERM));
        assert_eq!("9".parse(), Ok(Signal::SIGKILL));
        assert!("SIGNOSUCH".parse::<Signal>().is_err());
        assert!("0".parse::<Signal>().is_err());
        assert!("SIGRTMIN++1".parse::<Signal>().is_err());
        assert!("SIGRTMIN+99".parse::<Signal>().is_err());
    }
}
