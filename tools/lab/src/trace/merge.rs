//! Calls, signals and transcript in one order, with voices; repetitions counted.

use std::collections::{HashMap, HashSet};

use transcript::{Line, Record};

use super::call::Call;
use super::cast::Cast;
use super::context;
use super::noise::is_noise;
use super::signal::{Effect, Signal};
use super::strace::Seen;

/// Who is who, and what happened in which order.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) cast: Cast,
    pub(super) events: Vec<Event>,
}

#[derive(Debug)]
pub(super) enum Event {
    Said(Record),
    /// A line of the lab's output that is no record: a child wrote to its parent's stdout.
    Printed(String),
    Called(Call),
    Signalled(Signal),
}

/// Puts what the lab printed, what it called and the signals that it got into one order, without what is noise.
pub(super) fn merge(output: &str, Seen { mut calls, signals }: Seen) -> Story {
    let mut cast = Cast::default();
    let mut printed: Vec<(u64, Event)> = Vec::new();
    let mut last = 0;
    for line in output.lines() {
        let event = match Record::from_json(line) {
            Ok(record) => {
                if let Line::Say { voice, .. } | Line::Arrow { from: voice, .. } = &record.line {
                    cast.speaks(record.pid, voice);
                }
                // The order of lines is the order of the writes; the clock was read just before each.
                last = last.max(record.us);
                Event::Said(record)
            }
            Err(_) => Event::Printed(line.to_owned()),
        };
        printed.push((last, event));
    }
    for call in calls.iter().filter(|call| call.makes_thread()) {
        if let Some(thread) = call.number().and_then(|tid| u32::try_from(tid).ok()) {
            let process = cast.process(call.tid);
            cast.starts_thread(process, thread);
        }
    }
    context::give(&mut calls, |tid| cast.process(tid));

    // Before the lab speaks it only starts: the loader, the runtime, the async runtime's own descriptors.
    let first = calls.first().map(|call| call.tid);
    let speaks = printed.iter().find(|(_, event)| matches!(event, Event::Said(_))).map_or(0, |(us, _)| *us);
    let starts = |call: &Call| Some(call.tid) == first && call.us < speaks;
    let calls = calls.into_iter().enumerate().filter(|(at, call)| *at == 0 || !(is_noise(call) || starts(call)));
    let mut seen: Vec<(u64, Event)> = calls.map(|(_, call)| (call.us, Event::Called(call))).collect();
    // Of the death of a process, strace tells once for each of its threads.
    let mut killed = HashSet::new();
    let once = |signal: &Signal| signal.effect != Effect::Kills || killed.insert(cast.process(signal.tid));
    let signals = signals.into_iter().filter(|signal| !signal.is_noise()).filter(once);
    seen.extend(signals.map(|signal| (signal.us, Event::Signalled(signal))));
    seen.sort_by_key(|(us, _)| *us);

    let mut seen = seen.into_iter().peekable();
    let mut events = Vec::new();
    for (us, event) in printed {
        while let Some((_, seen)) = seen.next_if(|(when, _)| *when < us) {
            events.push(seen);
        }
        events.push(event);
    }
    events.extend(seen.map(|(_, event)| event));
    Story { cast, events }
}

/// A call, or how many more of the same shape follow it in the same moment.
#[derive(Debug)]
pub(super) enum Row<'a> {
    Call(&'a Call),
    More {
        like: &'a Call,
        count: usize,
        /// What all of them returned together, where that is a number of bytes.
        bytes: Option<u64>,
    },
}

/// How many calls of one shape are shown before the rest is counted.
const SHOWN: usize = 2;
/// Up to how many calls of one shape are all shown.
const FEW: usize = 4;

/// The calls of one moment, those of one process and one shape beyond the first ones counted instead of shown.
pub(super) fn collapse<'a>(calls: &[&'a Call]) -> Vec<Row<'a>> {
    let mut shapes: HashMap<Shape<'a>, (usize, u64)> = HashMap::new();
    for call in calls {
        let (count, bytes) = shapes.entry(shape(call)).or_default();
        *count += 1;
        *bytes += if *count > SHOWN { call.number().unwrap_or(0) } else { 0 };
    }
    let mut seen: HashMap<Shape<'a>, usize> = HashMap::new();
    let mut rows = Vec::new();
    for &call in calls {
        let shape = shape(call);
        let (count, bytes) = shapes[&shape];
        let seen = seen.entry(shape).or_default();
        *seen += 1;
        if count <= FEW || *seen <= SHOWN {
            rows.push(Row::Call(call));
        } else if *seen == SHOWN + 1 {
            let bytes = moves_bytes(&call.name).then_some(bytes).filter(|bytes| *bytes > 0);
            rows.push(Row::More { like: call, count: count - SHOWN, bytes });
        }
    }
    rows
}

/// What makes two calls alike: the thread, the call, what it works on, and how it failed.
type Shape<'a> = (u32, &'a str, &'a str, &'a str);

fn shape(call: &Call) -> Shape<'_> {
    // The end of a stream is not like what came before it.
    let error = call.error().unwrap_or(if moves_bytes(&call.name) && call.result == "0" { "end" } else { "" });
    (call.tid, &call.name, subject(call).unwrap_or_default(), error)
}

/// What a call works on, where calls of one shape work on the same. Not so a search along PATH, which is one thing wherever it looks, and
/// `bind`, which is done once with each socket.
pub(super) fn subject(call: &Call) -> Option<&str> {
    let each_another = call.name == "bind" || (call.name == "execve" && call.error() == Some("ENOENT"));
    (!each_another).then(|| call.text(0))
}

fn moves_bytes(name: &str) -> bool {
    ["read", "readv", "write", "writev", "recvmsg", "recvfrom", "sendmsg", "sendto", "splice", "sendfile"]
        .contains(&name)
}

#[cfg(test)]
mod tests {
    use super::super::strace::parse;
    use super::*;

    #[test]
    fn calls_stand_between_the_lines_of_their_moment() {
        let output = r#"{"us":2000000,"pid":7,"step":1,"title":"one"}
{"us":2000010,"pid":7,"voice":"parent","text":"a"}
not a record
{"us":2000030,"pid":7,"voice":"child","text":"relayed"}
"#;
        let log = "\
7 1.000000 execve(\"lab\", [\"lab\"], 0x7f) = 0
7 1.500000 socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0
7 2.000020 clone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 9
9 2.000025 pipe2([3, 4], 0) = 0
8 2.000026 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=9, si_uid=0} ---
7 2.000027 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=8, si_uid=0, si_status=0} ---
8 2.000040 exit_group(0) = ?
7 2.000041 +++ killed by SIGKILL +++
9 2.000042 +++ killed by SIGKILL +++
";
        let story = merge(output, parse(log, 0));
        let shown: Vec<String> = story
            .events
            .iter()
            .map(|event| match event {
                Event::Said(record) => format!("{}", record.us),
                Event::Printed(line) => line.clone(),
                Event::Called(call) => call.name.clone(),
                Event::Signalled(signal) => format!("[{}] {}", signal.tid, signal.words(&story.cast)),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "execve",
                "2000000",
                "2000010",
                "not a record",
                "clone3",
                "pipe2",
                "[8] SIGTERM arrives, sent by parent",
                "2000030",
                "exit_group",
                "[7] is killed by SIGKILL"
            ]
        );
        assert_eq!(
            (story.cast.name(7), story.cast.name(8), story.cast.name(9)),
            ("parent".into(), "pid 8".into(), "parent".into())
        );
    }

    #[test]
    fn repetitions_are_counted_per_process_and_shape() {
        let mut log = String::new();
        for _ in 0..1600 {
            log += "1 1.000000 read(5<pipe:[1]>, \"x\"..., 65536) = 65536\n1 1.000000 write(6<pipe:[2]>, \"x\"..., 65536) = 65536\n";
        }
        log += "1 1.000000 read(5<pipe:[1]>, \"\", 65536) = 0\n";
        log += "2 1.000000 read(0<pipe:[1]>, \"\", 65536) = 0\n";
        let calls = parse(&log, 0).calls;
        let rows = collapse(&calls.iter().collect::<Vec<_>>());
        let more: Vec<(usize, Option<u64>)> = rows
            .iter()
            .filter_map(|row| match row {
                Row::More { count, bytes, .. } => Some((*count, *bytes)),
                Row::Call(_) => None,
            })
            .collect();
        assert_eq!(more, [(1598, Some(1598 * 65536)), (1598, Some(1598 * 65536))]);
        assert_eq!(rows.len(), 8);
    }
}
