//! Counts calls that are alike instead of repeating them.

use std::collections::HashMap;

use crate::decode::{gives_bytes, takes_bytes};
use crate::words::kind;
use crate::{Call, Event, What};

/// Up to how many calls that are alike are all kept.
const FEW: u64 = 4;

/// Merges the calls of one process that are alike and stand between the same two lines of the transcript into the first of them, unless
/// they are few.
pub(crate) fn repeated(events: Vec<Event>) -> Vec<Event> {
    let mut kept: Vec<Event> = Vec::new();
    for moment in events.chunk_by(|_, next| !matches!(next.what, What::Line { .. })) {
        let mut counts: HashMap<(u32, String), u64> = HashMap::new();
        for key in moment.iter().filter_map(key) {
            *counts.entry(key).or_default() += 1;
        }
        counts.retain(|_, count| *count > FEW);
        let mut first: HashMap<(u32, String), usize> = HashMap::new();
        for event in moment {
            let key = key(event).filter(|key| counts.contains_key(key));
            match key.as_ref().and_then(|key| first.get(key)) {
                Some(place) => merge(&mut kept[*place], event),
                None => {
                    first.extend(key.map(|key| (key, kept.len())));
                    kept.push(event.clone());
                }
            }
        }
    }
    kept
}

fn merge(into: &mut Event, event: &Event) {
    let (What::Call(into), What::Call(call)) = (&mut into.what, &event.what) else { return };
    into.times += call.times;
    if let (Some(into), Some(payload)) = (&mut into.payload, &call.payload) {
        into.bytes += payload.bytes;
    }
}

/// Returns what calls have in common that are alike: the process, the call, how it failed, and
///
/// 1. for bytes and connections that arrive, the descriptor: a file, a socket;
/// 2. for a program that was not found, its arguments: it is looked for in several directories;
/// 3. for `bind`, nothing more: it is done once with each socket;
/// 4. for other calls, what kind of descriptor they are about, and the other arguments.
///
/// Calls that make processes, programs and descriptors in pairs are never alike.
fn key(event: &Event) -> Option<(u32, String)> {
    let What::Call(call) = &event.what else { return None };
    let name = call.call.as_str();
    let moves_bytes = gives_bytes(name) || takes_bytes(name);
    let failed = call.error().unwrap_or_default();
    let about = match name {
        _ if moves_bytes || name.starts_with("accept") => {
            // The end of a stream is not like what came before it.
            format!("{} {} {}", call.text(0), call.is(0), call.payload.is_some())
        }
        "execve" if !failed.is_empty() => call.text(1).to_owned(),
        _ if call.clones() || call.executes() || name.starts_with("dup") || name.contains("pair") => return None,
        "pipe" | "pipe2" | "fcntl" => return None,
        "bind" => String::new(),
        _ => arguments(call),
    };
    Some((event.pid, format!("{name} {failed} {about}")))
}

fn arguments(call: &Call) -> String {
    let arguments = call.arguments.iter().map(|argument| match &argument.descriptors[..] {
        [descriptor, ..] => kind(&descriptor.is),
        [] => &argument.text,
    });
    arguments.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::What;
    use crate::record::tests::recording;

    /// The calls that a recording of this log has: name, how often, how many bytes.
    fn folded(log: &str) -> Vec<(String, u64, Option<u64>)> {
        let calls = recording(log).events.into_iter().filter_map(|event| match event.what {
            What::Call(call) => Some((call.call, call.times, call.payload.map(|payload| payload.bytes))),
            _ => None,
        });
        calls.collect()
    }

    #[test]
    fn repetitions_are_counted_for_each_process_and_descriptor() {
        let copy =
            "1 1.0 read(5<pipe:[1]>, \"x\"..., 65536) = 65536\n1 1.0 write(6<pipe:[2]>, \"x\"..., 65536) = 65536\n";
        let end = "1 1.0 read(5<pipe:[1]>, \"\", 65536) = 0\n2 1.0 read(0<pipe:[1]>, \"x\", 65536) = 1\n";
        let line = "1 1.0 write(1<pipe:[9]>, \"{\\\"us\\\":1,\\\"pid\\\":1,\\\"step\\\":1,\\\"title\\\":\\\"\\\"}\\n\", 4) = 4\n";
        let (read, write) = ("read".to_owned(), "write".to_owned());
        let all = 1600 * 65536;
        let log = format!("{}{end}", copy.repeat(1600));
        // What two processes share is told before its end, and in another process.
        assert_eq!(
            folded(&log),
            [
                (read.clone(), 1600, Some(all)),
                (write.clone(), 1600, Some(all)),
                (read.clone(), 1, None),
                (read, 1, Some(1))
            ]
        );
        let log = format!("{line}{}{line}{}", copy.repeat(3), copy.repeat(2));
        assert_eq!(folded(&log).iter().map(|(_, times, _)| *times).collect::<Vec<_>>(), [1; 10]);
    }

    /// A socket is bound once: two hundred of them are two hundred calls that are alike all the same.
    #[test]
    fn what_is_done_once_with_each_of_many_sockets_is_counted() {
        let calls = |fd: u32| {
            let address =
                |port| format!("{{sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr(\"127.0.0.1\")}}");
            format!(
                "7 1.0 bind({fd}<TCP:[{fd}]>, {}, 16) = 0\n7 1.0 connect({fd}<TCP:[{fd}]>, {}, 16) = 0\n7 1.0 vfork() = {fd}\n",
                address(fd),
                address(80)
            )
        };
        let log: String = (10..40).map(calls).collect();
        let folded = folded(&log);
        assert_eq!(folded[0], ("bind".to_owned(), 30, None));
        assert_eq!(folded[1], ("connect".to_owned(), 30, None));
        assert_eq!(folded.len(), 2 + 30);
    }
}
