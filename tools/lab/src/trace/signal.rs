//! Signals: what strace writes when one arrives, stops a process or ends it.
//!
//! `--- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=7, si_uid=0} ---`, `--- stopped by SIGSTOP ---`,
//! `+++ killed by SIGSEGV (core dumped) +++`.

use super::address::field;
use super::cast::Cast;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signal {
    /// When, in microseconds of `CLOCK_MONOTONIC`.
    pub(super) us: u64,
    /// The thread that it reached.
    pub(super) tid: u32,
    pub(super) name: String,
    pub(super) effect: Effect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It is there; what follows is up to its handler. The kernel itself may have sent it.
    Arrives {
        sender: Option<u32>,
    },
    Stops,
    Kills,
}

impl Signal {
    /// The signal that `text` tells of, if it does.
    pub(super) fn parse(us: u64, tid: u32, text: &str) -> Option<Signal> {
        let signal = |name: &str, effect| Some(Signal { us, tid, name: name.to_owned(), effect });
        if let Some(text) = text.strip_prefix("+++ killed by ") {
            return signal(text.split(' ').next()?, Effect::Kills);
        }
        let text = text.strip_prefix("--- ")?.strip_suffix(" ---")?;
        if let Some(name) = text.strip_prefix("stopped by ") {
            return signal(name, Effect::Stops);
        }
        let (name, information) = text.split_once(' ')?;
        let sent = ["SI_USER", "SI_TKILL", "SI_QUEUE"].contains(&field(information, "si_code=")?);
        let sender = field(information, "si_pid=").and_then(|pid| pid.parse().ok()).filter(|_| sent);
        signal(name, Effect::Arrives { sender })
    }

    /// Whether it has nothing to do with the lesson: that a child has ended is told by the wait for it.
    pub(super) fn is_noise(&self) -> bool {
        self.name == "SIGCHLD"
    }

    /// What happens to the process, in words that follow its name.
    pub(super) fn words(&self, cast: &Cast) -> String {
        let name = &self.name;
        match self.effect {
            Effect::Kills => format!("is killed by {name}"),
            Effect::Stops => format!("is stopped by {name}"),
            Effect::Arrives { sender: None } => format!("{name} arrives, sent by the kernel"),
            // The kernel says that the writer did it itself (si_code is SI_USER), which would tell nobody what happened.
            Effect::Arrives { sender: Some(pid) } if name == "SIGPIPE" && self.is_from(pid, cast) => {
                "SIGPIPE arrives: it writes where nobody reads".to_owned()
            }
            Effect::Arrives { sender: Some(pid) } if self.is_from(pid, cast) => {
                format!("{name} arrives, sent by itself")
            }
            // A sender that is not to be seen from here, outside of a container, has the number 0.
            Effect::Arrives { sender: Some(0) } => format!("{name} arrives, sent from outside"),
            Effect::Arrives { sender: Some(pid) } => format!("{name} arrives, sent by {}", cast.name(pid)),
        }
    }

    fn is_from(&self, pid: u32, cast: &Cast) -> bool {
        cast.process(pid) == cast.process(self.tid)
    }
}

#[cfg(test)]
mod tests {
    use super::super::merge::merge;
    use super::super::strace::parse;
    use super::*;

    #[test]
    fn every_signal_says_where_it_came_from_and_what_it_did() {
        let record = r#"{"us":9000000,"pid":7,"voice":"parent","text":"hello"}"#;
        let cast = merge(record, parse("", 0)).cast;
        for (text, words) in [
            (
                "--- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=7, si_uid=0} ---",
                "SIGTERM arrives, sent by parent",
            ),
            ("--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_TKILL, si_pid=9} ---", "SIGUSR1 arrives, sent by pid 9"),
            ("--- SIGABRT {si_signo=SIGABRT, si_code=SI_TKILL, si_pid=8} ---", "SIGABRT arrives, sent by itself"),
            ("--- SIGINT {si_signo=SIGINT, si_code=SI_KERNEL} ---", "SIGINT arrives, sent by the kernel"),
            (
                "--- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=0, si_uid=0} ---",
                "SIGTERM arrives, sent from outside",
            ),
            (
                "--- SIGPIPE {si_signo=SIGPIPE, si_code=SI_USER, si_pid=8, si_uid=0} ---",
                "SIGPIPE arrives: it writes where nobody reads",
            ),
            (
                "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---",
                "SIGSEGV arrives, sent by the kernel",
            ),
            ("--- stopped by SIGSTOP ---", "is stopped by SIGSTOP"),
            ("+++ killed by SIGSEGV (core dumped) +++", "is killed by SIGSEGV"),
        ] {
            let signal = Signal::parse(1, 8, text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(signal.words(&cast), words, "{text}");
            assert!(!signal.is_noise());
        }
        let ended = "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=8, si_uid=0, si_status=0} ---";
        assert!(Signal::parse(1, 7, ended).is_some_and(|signal| signal.is_noise()));
        assert_eq!(Signal::parse(1, 7, "+++ exited with 0 +++"), None);
    }
}
