//! Whether a run is in causal order.
//!
//! What comes before what follows from amounts: the first `n` bytes are received from a socket after they were sent into it. The same holds
//! for descriptors sent with messages, for connections (accepted after `connect` began), and for the starts, exits and signals of processes.
//!
//! The recorder needs no sorting: it places each call by its beginning or its end in strace's log (`strace.rs`). This check is independent of
//! that, and of the clock.

use std::collections::{BTreeMap, HashSet};

use crate::decode::{gives_bytes, takes_bytes};
use crate::words::{address, ending, ends, field};
use crate::{Call, Event, What};

/// Finds the events that stand before one that they depend on: pairs of the cause and its effect, by their places.
pub fn out_of_order(events: &[Event]) -> Vec<(usize, usize)> {
    dependencies(events).into_iter().filter(|(cause, effect)| cause > effect).collect()
}

/// What goes one way between processes.
#[derive(Debug, Default)]
struct Flow {
    /// Where something is put into it, and how much.
    given: Vec<(usize, u64)>,
    /// Where something comes out of it, and how much must have been put into it by then.
    taken: Vec<(usize, u64)>,
    /// How much has come out of it.
    total: u64,
}

impl Flow {
    fn give(&mut self, at: usize, amount: u64) {
        self.given.push((at, amount));
    }

    /// Takes something out. Of several calls in one, only the first is known to have happened here.
    fn take(&mut self, at: usize, amount: u64, times: u64) {
        let first = if times > 1 { 1 } else { amount };
        self.taken.push((at, self.total + first));
        self.total += amount;
    }

    /// Finds the event that gave the last of what each taking event needed. Where less was given than taken, not all of it was traced, and
    /// nothing is known.
    fn dependencies(&self) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let (mut given, mut so_far) = (self.given.iter(), 0);
        let mut giver = None;
        for (taker, needed) in &self.taken {
            while so_far < *needed {
                let Some((at, amount)) = given.next() else { return Vec::new() };
                so_far += amount;
                giver = Some(*at);
            }
            found.extend(giver.map(|giver| (giver, *taker)));
        }
        found
    }
}

/// Finds what depends on what, apart from the sequence of each process.
fn dependencies(events: &[Event]) -> Vec<(usize, usize)> {
    let mut flows = Flows::default();
    let mut started = HashSet::new();
    for (at, event) in events.iter().enumerate() {
        let pid = event.pid;
        if started.insert(pid) {
            flows.of(format!("start of {pid}")).take(at, 1, 1);
        }
        match &event.what {
            What::Starts { starts } => flows.of(format!("start of {starts}")).give(at, 1),
            What::Exit { .. } => flows.of(format!("exit of {pid}")).give(at, 1),
            What::Signal(signal) if signal.from.is_some() => {
                flows.of(format!("{} to {pid}", signal.signal)).take(at, 1, 1);
            }
            What::Call(call) if call.error().is_none_or(|error| error == "EINPROGRESS") => flows.note(at, call),
            What::Line { .. } | What::Program { .. } | What::Signal(_) | What::Call(_) => {}
        }
    }
    flows.0.values().flat_map(Flow::dependencies).collect()
}

/// Flows by their names.
#[derive(Debug, Default)]
struct Flows(BTreeMap<String, Flow>);

impl Flows {
    fn of(&mut self, name: String) -> &mut Flow {
        self.0.entry(name).or_default()
    }

    /// Notes what a call that succeeded puts into a flow, or takes out of one.
    fn note(&mut self, at: usize, call: &Call) {
        if let Some(child) = reaped(call) {
            // A process can be told twice of one exit.
            self.of(format!("exit of {child}")).taken.push((at, 1));
        } else if let Some((signal, target)) = signalled(call) {
            self.of(format!("{signal} to {target}")).give(at, 1);
        } else if let Some(target) = connects_to(call) {
            self.of(format!("connections to {target}")).give(at, call.times);
        } else if let Some(target) = accepts_from(call) {
            self.of(format!("connections to {target}")).take(at, call.times, call.times);
        } else if let Some((stream, gives)) = stream(call) {
            let bytes = call.payload.as_ref().map_or(0, |payload| payload.bytes);
            for (kind, amount) in [("bytes", bytes), ("descriptors", call.passed.len() as u64)] {
                let flow = self.of(format!("{kind} in {stream}"));
                match (amount, gives) {
                    (0, _) => {}
                    (_, true) => flow.give(at, amount),
                    (_, false) => flow.take(at, amount, call.times),
                }
            }
        }
    }
}

/// The child whose end a call reports.
fn reaped(call: &Call) -> Option<&str> {
    let (status, pid) = match call.call.as_str() {
        "wait4" => (call.text(1), call.result.as_str()),
        "waitid" => (call.text(2), field(call.text(2), "si_pid=")?),
        _ => return None,
    };
    ending(status).map(|_| pid)
}

/// Returns the signal that a call sends, and the process that gets it, or that leads the group of those that do.
pub(crate) fn signalled(call: &Call) -> Option<(&str, &str)> {
    match call.call.as_str() {
        "kill" => Some((call.text(1), call.text(0).trim_start_matches('-'))),
        "tgkill" => Some((call.text(2), call.text(0))),
        "pidfd_send_signal" => Some((call.text(1), call.is(0).strip_prefix("pid:")?)),
        _ => None,
    }
}

/// The port or path that a call connects to.
fn connects_to(call: &Call) -> Option<String> {
    let target = address(call.text(1)).filter(|_| call.call == "connect" && !call.is(0).starts_with("UDP"))?;
    Some(target.rsplit(':').next().unwrap_or(&target).to_owned())
}

/// The port or path that a call accepts from. A server may listen at all addresses, so only the port counts.
fn accepts_from(call: &Call) -> Option<&str> {
    let name = call.is(0).split_once(":[")?.1.strip_suffix(']').filter(|_| call.call.starts_with("accept"))?;
    name.rsplit([':', ',']).next().map(|name| name.trim_matches('"'))
}

/// The stream that a call puts bytes into (`true`), or takes them out of.
fn stream(call: &Call) -> Option<(String, bool)> {
    let (gives, is) = (gives_bytes(&call.call), call.is(0));
    let looks_only = call.any_argument("MSG_PEEK");
    if (!gives && !takes_bytes(&call.call)) || looks_only {
        return None;
    }
    let stream = match ends(is) {
        Some((near, far)) if gives => format!("{near}->{far}"),
        Some((near, far)) => format!("{far}->{near}"),
        None => is.strip_prefix("pipe:")?.to_owned(),
    };
    Some((stream, gives))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::recording;

    /// Finds what is out of order in a log: pairs of a cause and the effect that stands before it, by the names of their calls.
    fn wrong(log: &[&str]) -> Vec<String> {
        let log: String = log.iter().map(|line| line.replacen(' ', " 1.0 ", 1) + "\n").collect();
        let events = recording(&log).events;
        let name = |at: usize| match &events[at].what {
            What::Call(call) => call.call.clone(),
            other => format!("{other:?}").split(['(', ' ']).next().unwrap_or_default().to_owned(),
        };
        out_of_order(&events).into_iter().map(|(cause, effect)| format!("{}, {}", name(cause), name(effect))).collect()
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn nothing_is_received_before_it_is_sent() {
        let send = r#"1 sendmsg(5<UNIX-STREAM:[7->8]>, {msg_iov=[{iov_base="ab", iov_len=2}]}, 0) = 2"#;
        let write = r#"1 write(5<UNIX-STREAM:[7->8]>, "cd", 2) = 2"#;
        let read =
            |n| format!(r#"2 recvmsg(3<UNIX-STREAM:[8->7]>, {{msg_iov=[{{iov_base="x", iov_len=9}}]}}, 0) = {n}"#);
        assert_eq!(wrong(&[send, write, &read(3), &read(1)]), NOTHING);
        // The second message's first byte comes with the first message.
        assert_eq!(wrong(&[send, &read(3), write, &read(1)]), ["write, recvmsg"]);
        assert_eq!(wrong(&[&read(1), &read(3), send, write]), ["sendmsg, recvmsg", "write, recvmsg"]);
        // Not all that is received was seen to be sent, so that nothing is known.
        assert_eq!(wrong(&[&read(3), send]), NOTHING);
        let pipe = [r#"2 read(0<pipe:[9]>, "x", 9) = 1"#, r#"1 write(4<pipe:[9]>, "x", 1) = 1"#];
        assert_eq!(wrong(&pipe), ["write, read"]);
        let tcp = [r#"2 read(0<TCP:[a:1->b:2]>, "x", 9) = 1"#, r#"1 write(4<TCP:[b:2->a:1]>, "x", 1) = 1"#];
        assert_eq!(wrong(&tcp), ["write, read"]);
    }

    /// Here the log has the lines that end calls in the wrong order, as strace does write them.
    #[test]
    fn what_ends_late_in_the_log_stands_where_it_began() {
        let log = [
            r#"1 sendmsg(5<UNIX-STREAM:[7->8]>, {msg_iov=[{iov_base="ab", iov_len=2}]}, 0 <unfinished ...>"#,
            r#"2 recvmsg(3<UNIX-STREAM:[8->7]>, {msg_iov=[{iov_base="ab", iov_len=9}]}, 0) = 2"#,
            "1 <... sendmsg resumed>) = 2",
            "1 clone(flags=SIGCHLD <unfinished ...>",
            "3 exit_group(0) = ?",
            "1 <... clone resumed>) = 3",
        ];
        assert_eq!(wrong(&log), NOTHING);
        assert_eq!(wrong(&[&log[4..5], &["1 clone(flags=SIGCHLD) = 3"]].concat()), ["Starts, exit_group"]);
    }

    #[test]
    fn descriptors_arrive_after_they_were_sent_even_if_the_bytes_are_not_all_known() {
        let message = |call, is, n, passed| {
            let control = format!("msg_control=[{{cmsg_type=SCM_RIGHTS, cmsg_data=[{passed}<TCP:[a:1]>]}}]");
            format!(r#"{call}(3<UNIX-STREAM:[{is}]>, {{msg_iov=[{{iov_base="x", iov_len=9}}], {control}}}, 0) = {n}"#)
        };
        let log =
            [&format!("2 {}", message("recvmsg", "8->7", 50, 9)), &format!("1 {}", message("sendmsg", "7->8", 5, 4))];
        assert_eq!(wrong(&log.map(String::as_str)), ["sendmsg, recvmsg"]);
    }

    #[test]
    fn processes_act_between_their_start_and_their_end() {
        let log = [
            "1 vfork() = 2",
            "3 pidfd_send_signal(4<pid:2>, SIGUSR1, NULL, 0) = 0",
            "2 --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=3, si_uid=0} ---",
            "2 +++ exited with 0 +++",
            "1 wait4(2, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 2",
        ];
        assert_eq!(wrong(&log), NOTHING);
        let reversed: Vec<&str> = log.into_iter().rev().collect();
        assert_eq!(wrong(&reversed), ["pidfd_send_signal, Signal", "Exit, wait4", "Starts, Exit"]);
    }

    #[test]
    fn a_connection_is_accepted_after_its_connect() {
        let accept = "1 accept4(3<TCP:[0.0.0.0:80]>, NULL, NULL, 0) = 7<TCP:[127.0.0.1:80->127.0.0.1:7]>";
        let connect = |error| {
            let to = r#"{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}"#;
            format!("2 connect(3<TCP:[7]>, {to}, 16) = {error}")
        };
        let (begun, done) = (connect("-1 EINPROGRESS (x)"), connect("0"));
        assert_eq!(wrong(&[&begun, accept, &done, accept]), NOTHING);
        assert_eq!(wrong(&[&begun, accept, accept, &done]), ["connect, accept4"]);
    }
}
