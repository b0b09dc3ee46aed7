//! Makes a recording of what strace and the lab wrote.

use std::collections::{HashMap, HashSet};

use regex::Regex;
use transcript::Record;

use crate::decode::PAYLOAD;
use crate::noise::Noise;
use crate::strace::{Entry, Seen, parse};
use crate::{Call, Event, Exit, Header, Recording, What, fold, order};

/// The calls that the recorder needs in order to tell who is who, and what happened in which order, or that do in another language what a
/// listed call does. Whether they are recorded is another question.
const ALWAYS: &str = "accept clone clone3 dup2 dup3 execve exit_group fcntl fork kill pidfd_send_signal pipe pipe2 read readv recvfrom \
    recvmsg sendmsg sendto socketpair tgkill vfork wait4 waitid write writev";

/// Returns strace's options for recording these calls. `-o FILE -- PROGRAM` follow them.
///
/// A `?` lets strace pass over a call that this machine does not have: `fork` does not exist on ARM.
pub fn strace_options(calls: &[String]) -> Vec<String> {
    let calls = calls.iter().map(String::as_str).chain(ALWAYS.split_whitespace()).map(|call| format!("?{call}"));
    let filter = format!("trace={}", calls.collect::<Vec<_>>().join(","));
    ["-f", "-q", "-ttt", "-yy", "-s", &PAYLOAD.to_string(), "-e", &filter].map(str::to_owned).into()
}

/// Directories of this machine, and what they are called in a recording.
#[derive(Debug, Default)]
pub struct Places {
    named: Vec<(String, &'static str)>,
    /// A file or directory in the directory for temporary ones.
    temporary: Option<Regex>,
}

impl Places {
    /// Names directories; of two that fit, the first one counts. What is in the directory `temporary` is called `…`.
    pub fn new(named: impl IntoIterator<Item = (String, &'static str)>, temporary: &str) -> Places {
        let temporary = Regex::new(&format!(r#"{}/[^/"\\\s]+"#, regex::escape(temporary)));
        Places { named: named.into_iter().collect(), temporary: temporary.ok() }
    }

    fn hide(&self, text: &str) -> String {
        let named = self.named.iter().fold(text.to_owned(), |text, (place, name)| text.replace(place.as_str(), name));
        match &self.temporary {
            Some(temporary) => temporary.replace_all(&named, "…").into_owned(),
            None => named,
        }
    }
}

impl Recording {
    /// Makes a recording of a run: of what strace wrote with [`strace_options`]. Of the calls it has those that are in `shown`, or do in
    /// another language what those do.
    pub fn new(header: Header, log: &str, shown: &[String], places: &Places) -> Recording {
        let (events, transcript) = events(parse(log));
        let noise = Noise::of(&events, transcript, shown);
        let events = fold::repeated(noise.without(events));
        let recording = Recording { header, events: timed(events) };
        let hidden = Recording::from_jsonl(&places.hide(&recording.to_jsonl()));
        hidden.expect("what takes the place of a directory can stand in JSON")
    }
}

/// Makes the times count from the first event, and never decrease.
fn timed(mut events: Vec<Event>) -> Vec<Event> {
    let start = events.iter().map(|event| event.us).min().unwrap_or(0);
    let mut now = 0;
    for event in &mut events {
        now = now.max(event.us - start);
        event.us = now;
    }
    events
}

/// Turns what happened to threads into what happened to processes. Returns what the transcript is written to, too.
fn events(entries: Vec<Entry>) -> (Vec<Event>, Option<String>) {
    let mut processes: HashMap<u32, u32> = HashMap::new();
    let mut transcript = None;
    // strace tells of the death of each thread.
    let mut ended = HashSet::new();
    let mut events = Vec::new();
    for Entry { us, tid, what } in entries {
        let pid = processes.get(&tid).copied().unwrap_or(tid);
        let mut happened = |what| events.push(Event { us, pid, what });
        match what {
            Seen::Exit(exit) if tid == pid && ended.insert(pid) => {
                end(&mut events, Event { us, pid, what: What::Exit { exit } });
            }
            Seen::Signal(signal) if signal.signal == "SIGCHLD" => {}
            Seen::Signal(signal) => happened(What::Signal(signal)),
            Seen::Exit(_) => {}
            Seen::Call(call) => {
                let lines = lines(&call);
                if !lines.is_empty() {
                    transcript.get_or_insert_with(|| call.is(0).to_owned());
                    lines.into_iter().for_each(&mut happened);
                    continue;
                }
                let child = call.number().and_then(|child| u32::try_from(child).ok()).filter(|_| call.clones());
                let program = (call.executes() && call.error().is_none()).then(|| program(&call)).flatten();
                if call.makes_thread() {
                    processes.extend(child.map(|thread| (thread, pid)));
                    happened(What::Call(call));
                    continue;
                }
                happened(What::Call(call));
                child.into_iter().for_each(|starts| happened(What::Starts { starts }));
                program.into_iter().for_each(|program| happened(What::Program { program }));
            }
        }
    }
    (events, transcript)
}

/// Adds the end of a process where its cause is, if that was seen: `exit_group`, or a signal. strace tells of it later, when others may have
/// noticed it already.
fn end(events: &mut Vec<Event>, mut exit: Event) {
    let pid = exit.pid;
    let is_cause = |event: &Event| match (&event.what, &exit.what) {
        (What::Call(call), What::Exit { exit: Exit::Code(_) }) => event.pid == pid && call.call == "exit_group",
        (What::Call(call), What::Exit { exit: Exit::Signal(name) }) => {
            order::signalled(call).is_some_and(|(signal, target)| signal == name && target.parse() == Ok(pid))
        }
        (What::Signal(signal), What::Exit { exit: Exit::Signal(name) }) => event.pid == pid && signal.signal == *name,
        _ => false,
    };
    let cause = events.iter().rposition(is_cause);
    let last = events.iter().rposition(|event| event.pid == pid);
    let place = cause.map_or(events.len(), |cause| cause.max(last.unwrap_or(0)) + 1);
    exit.us = cause.map_or(exit.us, |_| events[place - 1].us);
    events.insert(place, exit);
}

/// Returns the name of the file that a process now runs.
fn program(call: &Call) -> Option<String> {
    let path = call.arguments.iter().map(|argument| &argument.text).find(|text| text.starts_with('"'))?;
    Some(path.trim_matches('"').rsplit('/').next()?.to_owned())
}

/// Returns the lines of the transcript that a call writes.
fn lines(call: &Call) -> Vec<What> {
    let text = match &call.payload {
        Some(payload) if call.call.starts_with("write") && payload.text.starts_with("{\"us\":") => &payload.text,
        _ => return Vec::new(),
    };
    let records = text.lines().map_while(|line| Record::from_json(line).ok());
    records.map(|record| What::Line { line: record.line, source: record.source }).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{FORMAT, Language};

    /// A recording of this log in which all calls are shown.
    pub(crate) fn recording(log: &str) -> Recording {
        let header = Header { format: FORMAT, lab: "00".to_owned(), language: Language::Rust, versions: [].into() };
        let calls = parse(log).into_iter().filter_map(|entry| match entry.what {
            Seen::Call(call) => Some(call.call),
            _ => None,
        });
        Recording::new(header, log, &calls.collect::<Vec<_>>(), &Places::default())
    }

    /// strace tells of a death after others have noticed it.
    #[test]
    fn a_process_ends_where_the_cause_is() {
        let log = r#"
7 1.0 vfork() = 8
7 1.0 vfork() = 9
7 1.0 pidfd_send_signal(3<pid:8>, SIGKILL, NULL, 0) = 0
8 1.0 getpid() = 8
7 1.0 read(4<pipe:[5]>, "", 9) = 0
8 1.0 +++ killed by SIGKILL +++
9 1.0 exit_group(3) = ?
7 1.0 read(5<pipe:[6]>, "", 9) = 0
9 1.0 +++ exited with 3 +++
"#;
        let is_end = |event: &Event| matches!(&event.what, What::Exit { .. });
        let is_read = |event: &Event| matches!(&event.what, What::Call(call) if call.call == "read");
        let events = recording(log).events;
        let order = events.iter().filter(|event| is_end(event) || is_read(event)).map(|event| event.pid);
        assert_eq!(order.collect::<Vec<_>>(), [8, 7, 9, 7]);
    }

    #[test]
    fn lines_lives_and_calls_become_events_and_survive_json() {
        let log = r#"
7 1.000000 execve("/tmp/here/target/lab", ["lab"], 0x7f /* 3 vars */) = 0
7 1.100000 socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0
7 1.200000 write(1<pipe:[5]>, "{\"us\":9,\"pid\":7,\"step\":1,\"title\":\"one\",\"source\":\"src/main.rs:3\"}\n", 60) = 60
7 1.200010 clone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 9
9 1.200020 vfork( <unfinished ...>
8 1.200030 execve("/bin/sh", ["/tmp/a.b1/c"], 0x7f) = 0
9 1.200040 <... vfork resumed>) = 8
7 1.200050 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=8, si_uid=0, si_status=0} ---
8 1.200060 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=7, si_uid=0} ---
8 1.200070 +++ killed by SIGTERM +++
9 1.200080 +++ exited with 0 +++
7 1.200080 +++ exited with 0 +++
"#;
        let places = Places::new([("/tmp/here/target".to_owned(), "…")], "/tmp");
        let shown = ["execve", "vfork"].map(str::to_owned);
        let header = Header { format: FORMAT, lab: "00".to_owned(), language: Language::Node, versions: [].into() };
        let recording = Recording::new(header, log, &shown, &places);
        let text = recording.to_jsonl();
        assert_eq!(
            text,
            r#"{"format":1,"lab":"00","language":"node","versions":{}}
{"us":0,"pid":7,"call":"execve","arguments":[{"text":"\"…/lab\""},{"text":"[\"lab\"]"},{"text":"0x7f /* 3 vars */"}],"result":"0"}
{"us":0,"pid":7,"program":"lab"}
{"us":200000,"pid":7,"step":1,"title":"one","source":"src/main.rs:3"}
{"us":200020,"pid":7,"call":"vfork","arguments":[],"result":"8"}
{"us":200020,"pid":7,"starts":8}
{"us":200030,"pid":8,"call":"execve","arguments":[{"text":"\"/bin/sh\""},{"text":"[\"…/c\"]"},{"text":"0x7f"}],"result":"0"}
{"us":200030,"pid":8,"program":"sh"}
{"us":200060,"pid":8,"signal":"SIGTERM","from":7}
{"us":200060,"pid":8,"exit":{"signal":"SIGTERM"}}
{"us":200080,"pid":7,"exit":{"code":0}}
"#
        );
        assert_eq!(Recording::from_jsonl(&text).expect("what it wrote"), recording);
        let newer = text.replace("\"format\":1", "\"format\":2");
        assert!(Recording::from_jsonl(&newer).is_err_and(|error| error.to_string().contains("format 2")));
    }
}
