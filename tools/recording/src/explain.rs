//! Explains the events of a recording to people.

use crate::decode::{gives_bytes, takes_bytes};
use crate::meaning::meaning;
use crate::origin::contexts;
use crate::peers::{Names, Peers};
use crate::words::{address, addressed, grouped, kind};
use crate::{Call, Descriptor, Event, Exit, Payload, Recording, Signal, What};

/// How much of a payload is shown, in characters.
const SHOWN: usize = 160;

/// What people are shown of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The process, by the name of its lane.
    pub name: String,
    /// What happened: `sendmsg → worker 1: {"cmd":"NODE_HANDLE"} + descriptor 11 (TCP 127.0.0.1:40123)`.
    pub text: String,
    /// What that means, empty if the text says all.
    pub meaning: String,
}

/// Explains every event; `None` for a line of the transcript, and for what another event tells: starts and programs by their calls, a copy
/// of a descriptor by the `dup2` that puts it in its place.
pub fn explain(recording: &Recording) -> Vec<Option<Explained>> {
    let names = Names::of(&recording.events);
    let peers = Peers::of(&recording.events);
    let contexts = contexts(&recording.events);
    let explain = |(event, context): (&Event, _)| {
        let (text, meaning) = match &event.what {
            What::Call(call) if call.call == "fcntl" => return None,
            What::Call(call) => {
                let peers: Vec<String> =
                    peers.at_the_other_end(event.pid, call).into_iter().map(|pid| names.name(pid)).collect();
                (text(call, &peers.join(" or ")), meaning(call, context, &names))
            }
            What::Signal(signal) => (arrival(signal, event.pid, &names), String::new()),
            What::Exit { exit: Exit::Signal(signal) } => (format!("is killed by {signal}"), String::new()),
            What::Line { .. } | What::Starts { .. } | What::Program { .. } | What::Exit { .. } => return None,
        };
        Some(Explained { name: names.name(event.pid), text, meaning })
    };
    recording.events.iter().zip(&contexts).map(explain).collect()
}

fn arrival(signal: &Signal, pid: u32, names: &Names) -> String {
    let name = &signal.signal;
    match signal.from {
        _ if signal.stops => format!("is stopped by {name}"),
        None => format!("{name} arrives, sent by the kernel"),
        // The kernel says that the writer did it itself (si_code is SI_USER), which would tell nobody what happened.
        Some(from) if name == "SIGPIPE" && from == pid => {
            "SIGPIPE arrives: it writes where no process reads".to_owned()
        }
        Some(from) if from == pid => format!("{name} arrives, sent by itself"),
        // A sender that is not to be seen from here, outside of a container, has the number 0.
        Some(0) => format!("{name} arrives, sent from outside"),
        Some(from) => format!("{name} arrives, sent by {}", names.name(from)),
    }
}

/// Writes a call: what went where, or its arguments and its result.
fn text(call: &Call, peers: &str) -> String {
    let name = &call.call;
    let times = if call.times > 1 { format!(" × {}", grouped(call.times)) } else { String::new() };
    let arrow = match name.as_str() {
        _ if gives_bytes(name) => "→",
        _ if takes_bytes(name) => "←",
        _ => return format!("{name}({}){times}{}", arguments(call), result(call)),
    };
    let other = if peers.is_empty() { what(call.is(0)) } else { peers.to_owned() };
    let passed = match &call.passed[..] {
        [] => String::new(),
        [one] => format!(" + descriptor {}", descriptor(one)),
        several => format!(" + descriptors {}", several.iter().map(descriptor).collect::<Vec<_>>().join(", ")),
    };
    match &call.payload {
        Some(payload) => format!("{name} {arrow} {other}{times}: {}{passed}", shown(payload, call.times)),
        None => format!("{name} {arrow} {other}{times}{}", result(call)),
    }
}

/// Writes a payload: JSON as it is, other text in quotation marks, with its length if there is more. What is not text has only a length.
fn shown(payload: &Payload, times: u64) -> String {
    let bytes = format!("{} bytes", grouped(payload.bytes));
    let text = payload.text.trim_end_matches('\n');
    if text.contains(|c: char| c == '\u{fffd}' || (c.is_control() && !c.is_whitespace())) {
        return if times > 1 { format!("{bytes} in all") } else { bytes };
    }
    let short: String = text.chars().take(SHOWN).collect();
    let is_cut = short.len() < text.len() || payload.bytes > payload.text.len() as u64;
    let dots = if is_cut && (times == 1 || short.len() < text.len()) { "…" } else { "" };
    let quote = if text.starts_with(['{', '[', '"']) { "" } else { "\"" };
    let short = short.replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r");
    let size = match times {
        1 if is_cut => format!(" ({bytes})"),
        1 => String::new(),
        _ => format!(" and so on, {bytes} in all"),
    };
    format!("{quote}{short}{dots}{quote}{size}")
}

fn descriptor(descriptor: &Descriptor) -> String {
    format!("{} ({})", descriptor.fd, what(&descriptor.is))
}

/// Says what a descriptor refers to: with its addresses, as a path, or by its kind.
fn what(is: &str) -> String {
    let path = || is.starts_with('/').then(|| is.split('<').next().unwrap_or(is).to_owned());
    addressed(is).or_else(path).unwrap_or_else(|| kind(is).to_owned())
}

/// Writes the result, with what a new descriptor refers to where that has an address.
fn result(call: &Call) -> String {
    // Of many, each has a descriptor of its own.
    if call.result == "?" || (call.times > 1 && call.returned.is_some()) {
        return String::new();
    }
    let new = call.returned.as_ref().and_then(|returned| addressed(&returned.is));
    let new = new.map(|new| format!(" ({new})")).unwrap_or_default();
    format!(" = {}{new}", call.result)
}

/// Writes the arguments without what tells a learner nothing: places in memory, times, lengths of structures.
fn arguments(call: &Call) -> String {
    // The new descriptor has the address of the client.
    let taken = if call.call.starts_with("accept") { 1 } else { call.arguments.len() };
    let arguments = call.arguments.iter().take(taken).enumerate();
    let shorter = arguments.filter_map(|(at, argument)| match &argument.descriptors[..] {
        [_] if at == 0 && call.times > 1 && !call.call.starts_with("accept") => Some("…".to_owned()),
        _ => shorter(&argument.text),
    });
    let mut arguments: Vec<String> = shorter.collect();
    if ["bind", "connect"].contains(&call.call.as_str()) {
        // The last one is the length of the address.
        arguments.truncate(2);
    }
    arguments.join(", ")
}

fn shorter(argument: &str) -> Option<String> {
    const UNTOLD: &str = "si_signo= si_pid= si_status= si_uid= si_utime= si_stime= child_tidptr= parent_tid= child_tid= stack= \
        stack_size= child_stack= tls= pidfd=";
    let is_told = |field: &str| !UNTOLD.split_whitespace().any(|name| field.starts_with(name));
    // What the kernel changed in a structure stands after it.
    let argument = argument.split(" => {").next().unwrap_or(argument);
    let environment = argument.ends_with("*/");
    if environment || !is_told(argument) {
        return None;
    }
    if let Some(address) = address(argument).filter(|_| argument.starts_with("{sa_family=")) {
        return Some(address);
    }
    // Flags are short where strace has no name for them; places in memory are long.
    if argument.strip_prefix("0x").is_some_and(|digits| digits.len() >= 8) {
        return Some("…".to_owned());
    }
    match argument.strip_prefix('{').and_then(|fields| fields.strip_suffix('}')) {
        Some(fields) if !fields.contains(['{', '[', '"']) => {
            let told: Vec<&str> = fields.split(", ").filter(|field| is_told(field)).collect();
            Some(format!("{{{}}}", told.join(", ")))
        }
        _ => Some(argument.to_owned()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::record::tests::recording;

    /// The meanings of the calls of one name.
    pub(crate) fn meanings(log: &str, name: &str) -> Vec<String> {
        let recording = recording(log);
        let is_named = |event: &Event| matches!(&event.what, What::Call(call) if call.call == name);
        let explained = explain(&recording).into_iter().zip(&recording.events);
        explained.filter(|(_, event)| is_named(event)).filter_map(|(explained, _)| Some(explained?.meaning)).collect()
    }

    fn texts(log: &str) -> Vec<String> {
        let explained = explain(&recording(log)).into_iter().flatten();
        explained.map(|explained| format!("[{}] {}", explained.name, explained.text)).collect()
    }

    const VOICES: &str = r#"
7 1.0 execve("/bin/lab", ["lab"], 0x7f) = 0
7 1.0 write(1<pipe:[99]>, "{\"us\":1,\"pid\":7,\"voice\":\"primary\",\"text\":\"hello\"}\n", 60) = 60
7 1.0 vfork() = 8
8 1.0 write(99<pipe:[99]>, "{\"us\":1,\"pid\":8,\"voice\":\"worker 1\",\"text\":\"hello\"}\n", 60) = 60
"#;

    #[test]
    fn a_message_says_what_was_sent_to_whom() {
        let log = r#"
7 1.0 sendmsg(5<UNIX-STREAM:[70->80]>, {msg_iov=[{iov_base="{\"cmd\":\"NODE_HANDLE\"}\n", iov_len=22}], msg_control=[{cmsg_type=SCM_RIGHTS, cmsg_data=[11<TCP:[127.0.0.1:40123]>]}]}, 0) = 22
8 1.0 recvmsg(3<UNIX-STREAM:[80->70]>, {msg_iov=[{iov_base="{\"cmd\":\"NODE_HANDLE\"}\n", iov_len=65536}], msg_control=[{cmsg_type=SCM_RIGHTS, cmsg_data=[4<pipe:[6]>]}]}, 0) = 22
8 1.0 recvmsg(3<UNIX-STREAM:[80->70]>, {msg_namelen=0}, 0) = -1 EAGAIN (Resource temporarily unavailable)
8 1.0 write(0</dev/null<char 1:3>>, "a\tb\n", 4) = 4
"#;
        assert_eq!(
            texts(&format!("{VOICES}{log}"))[2..],
            [
                r#"[primary] sendmsg → worker 1: {"cmd":"NODE_HANDLE"} + descriptor 11 (TCP 127.0.0.1:40123)"#,
                r#"[worker 1] recvmsg ← primary: {"cmd":"NODE_HANDLE"} + descriptor 4 (a pipe)"#,
                "[worker 1] recvmsg ← primary = -1 EAGAIN",
                r#"[worker 1] write → /dev/null: "a\tb""#,
            ]
        );
    }

    #[test]
    fn what_is_long_or_repeated_is_said_with_its_size() {
        let zeros = "0".repeat(200);
        let log = format!("7 1.0 write(4<pipe:[5]>, \"{zeros}\"..., 65536) = 65536\n");
        let start = &zeros[..SHOWN];
        assert_eq!(texts(&log), [format!("[pid 7] write → a pipe: \"{start}…\" (65,536 bytes)")]);
        let to = r#"{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}"#;
        let connect = |fd| format!("7 1.0 connect({fd}<TCP:[{fd}]>, {to}, 16) = -1 EINPROGRESS (x)\n");
        let log: String = (0..30).map(connect).chain(["7 1.0 write(4<pipe:[5]>, \"ab\", 2) = 2\n".repeat(5)]).collect();
        assert_eq!(
            texts(&log),
            [
                "[pid 7] connect(…, 127.0.0.1:80) × 30 = -1 EINPROGRESS",
                "[pid 7] write → a pipe × 5: \"ab\" and so on, 10 bytes in all"
            ]
        );
    }

    #[test]
    fn calls_are_written_without_what_tells_nothing() {
        for (call, text) in [
            (
                "clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD, stack=0x7f, stack_size=0x9000}, 88) = 8",
                "clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD}, 88) = 8",
            ),
            (
                r#"accept4(9<TCP:[127.0.0.1:1]>, {sa_family=AF_INET, sin_port=htons(2)}, [16], 0) = 4<TCP:[127.0.0.1:1->127.0.0.1:2]>"#,
                "accept4(9) = 4 (TCP 127.0.0.1:1 → 127.0.0.1:2)",
            ),
            (r#"execve("/bin/cat", ["cat"], 0x7f1234567890 /* 3 vars */) = 0"#, r#"execve("/bin/cat", ["cat"]) = 0"#),
            ("wait4(8, 0x7f1234567890, WNOHANG, NULL) = 0", "wait4(8, …, WNOHANG, NULL) = 0"),
            ("exit_group(3) = ?", "exit_group(3)"),
        ] {
            assert_eq!(texts(&format!("7 1.0 {call}\n")), [format!("[pid 7] {text}")]);
        }
    }

    #[test]
    fn every_signal_says_where_it_came_from_and_what_it_did() {
        for (text, words) in [
            (
                "--- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=7, si_uid=0} ---",
                "SIGTERM arrives, sent by primary",
            ),
            ("--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_TKILL, si_pid=9} ---", "SIGUSR1 arrives, sent by pid 9"),
            ("--- SIGABRT {si_signo=SIGABRT, si_code=SI_TKILL, si_pid=8} ---", "SIGABRT arrives, sent by itself"),
            ("--- SIGINT {si_signo=SIGINT, si_code=SI_KERNEL} ---", "SIGINT arrives, sent by the kernel"),
            ("--- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=0} ---", "SIGTERM arrives, sent from outside"),
            (
                "--- SIGPIPE {si_signo=SIGPIPE, si_code=SI_USER, si_pid=8} ---",
                "SIGPIPE arrives: it writes where no process reads",
            ),
            ("--- stopped by SIGSTOP ---", "is stopped by SIGSTOP"),
            ("+++ killed by SIGSEGV (core dumped) +++", "is killed by SIGSEGV"),
        ] {
            assert_eq!(texts(&format!("{VOICES}8 1.0 {text}\n"))[2..], [format!("[worker 1] {words}")]);
        }
    }
}
