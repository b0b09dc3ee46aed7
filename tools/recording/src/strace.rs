//! Reads what strace wrote.
//!
//! `-f -q -ttt -yy -o FILE` makes lines like `4711  1795222490.948 dup2(3<pipe:[7758]>, 0</dev/null>) = 0<pipe:[7758]>`. A call that
//! is still going on when another process does something has two lines: `… <unfinished ...>` and `<... dup2 resumed> …`.

use std::collections::HashMap;

use crate::decode::decode;
use crate::words::field;
use crate::{Argument, Call, Descriptor, Exit, Signal};

/// Something that happened to a thread.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When, in microseconds of the clock.
    pub(crate) us: u64,
    pub(crate) tid: u32,
    pub(crate) what: Seen,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Call(Call),
    Signal(Signal),
    Exit(Exit),
}

/// Reads a log.
///
/// strace writes the beginning of a call before the kernel carries it out, and its end afterwards. A call that reacts to what others do
/// therefore stands where it ended, any other call where it began: then no cause stands after its effect.
pub(crate) fn parse(log: &str) -> Vec<Entry> {
    let mut begun: HashMap<u32, (usize, u64, &str)> = HashMap::new();
    let mut entries: Vec<(usize, Entry)> = Vec::new();
    for (place, line) in log.lines().enumerate() {
        let Some((tid, us, text)) = prefix(line) else { continue };
        if let Some(beginning) = text.strip_suffix("<unfinished ...>").filter(|text| !text.starts_with("<... ")) {
            begun.insert(tid, (place, us, beginning.trim_end()));
            continue;
        }
        let (began, what) = match text.strip_prefix("<... ") {
            Some(rest) => {
                let Some((_, rest)) = rest.split_once(" resumed>") else { continue };
                let Some((place, us, beginning)) = begun.remove(&tid) else { continue };
                // A process that was killed inside the call leaves `<unfinished ...>) = ?`.
                let whole = format!("{beginning}{}", rest.replacen(" <unfinished ...>)", ")", 1));
                ((place, us), call(&whole).map(Seen::Call))
            }
            None => ((place, us), signal(text).or_else(|| exit(text)).or_else(|| call(text).map(Seen::Call))),
        };
        let reacts = matches!(&what, Some(Seen::Call(call)) if reacts(&call.call));
        let (place, us) = if reacts { (place, us) } else { began };
        entries.extend(what.map(|what| (place, Entry { us, tid, what })));
    }
    entries.sort_by_key(|(place, _)| *place);
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// Tells whether a call reports what another process did.
fn reacts(name: &str) -> bool {
    ["accept", "epoll_", "futex", "poll", "ppoll", "pselect", "read", "recv", "select", "wait"]
        .iter()
        .any(|start| name.starts_with(start))
}

/// Splits a line into thread, microseconds and the rest.
fn prefix(line: &str) -> Option<(u32, u64, &str)> {
    let (tid, rest) = line.split_once(' ')?;
    let (time, text) = rest.trim_start().split_once(' ')?;
    let (seconds, fraction) = time.split_once('.')?;
    let us = seconds.parse::<u64>().ok()? * 1_000_000 + fraction.parse::<u64>().ok()?;
    Some((tid.parse().ok()?, us, text))
}

/// Reads `--- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=7, si_uid=0} ---` and `--- stopped by SIGSTOP ---`.
fn signal(text: &str) -> Option<Seen> {
    let text = text.strip_prefix("--- ")?.strip_suffix(" ---")?;
    if let Some(name) = text.strip_prefix("stopped by ") {
        return Some(Seen::Signal(Signal { signal: name.to_owned(), from: None, stops: true }));
    }
    let (name, information) = text.split_once(' ')?;
    let sent = ["SI_USER", "SI_TKILL", "SI_QUEUE"].contains(&field(information, "si_code=")?);
    let from = field(information, "si_pid=").and_then(|pid| pid.parse().ok()).filter(|_| sent);
    Some(Seen::Signal(Signal { signal: name.to_owned(), from, stops: false }))
}

/// Reads `+++ exited with 3 +++` and `+++ killed by SIGSEGV (core dumped) +++`.
fn exit(text: &str) -> Option<Seen> {
    let text = text.strip_prefix("+++ ")?.strip_suffix(" +++")?;
    let signal = text.strip_prefix("killed by ").and_then(|signal| signal.split(' ').next());
    let code = || text.strip_prefix("exited with ")?.parse().ok();
    signal.map(|signal| Exit::Signal(signal.to_owned())).or_else(|| code().map(Exit::Code)).map(Seen::Exit)
}

/// Reads a whole call.
fn call(text: &str) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    let (arguments, rest) = arguments(rest)?;
    let result = rest.trim_start().strip_prefix("= ")?;
    let (result, returned) = match result.split_once('<') {
        Some((fd, note)) => {
            (fd, fd.parse().ok().map(|fd| Descriptor { fd, is: note[..note_length(note).unwrap_or(0)].to_owned() }))
        }
        None => (result.split(" (").next().unwrap_or_default(), None),
    };
    let mut call =
        Call { call: name.to_owned(), arguments, result: result.to_owned(), returned, times: 1, ..Call::default() };
    decode(&mut call);
    Some(call)
}

/// Splits the arguments at the commas that are inside no string and no bracket. Returns what follows the closing parenthesis, too.
fn arguments(text: &str) -> Option<(Vec<Argument>, &str)> {
    let bytes = text.as_bytes();
    let mut arguments = Vec::new();
    let mut argument = Argument { text: String::new(), descriptors: Vec::new() };
    // What stands from `start` on is not in `argument` yet.
    let (mut at, mut start, mut depth) = (0, 0, 0_u32);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at += string_length(&bytes[at + 1..])?,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b',' if depth == 0 => {
                argument.text.push_str(text[start..at].trim());
                let whole = std::mem::replace(&mut argument, Argument { text: String::new(), descriptors: Vec::new() });
                if !whole.text.is_empty() {
                    arguments.push(whole);
                }
                if bytes[at] == b')' {
                    return Some((arguments, &text[at + 1..]));
                }
                start = at + 1;
            }
            b')' | b']' | b'}' => depth -= 1,
            b'<' if at > 0 && (bytes[at - 1].is_ascii_digit() || bytes[at - 1] == b'D') => {
                if let Some(length) = note_length(&text[at + 1..]) {
                    argument.text.push_str(text[start..at].trim_start());
                    let number = text[..at].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |before| before + 1);
                    if let Ok(fd) = text[number..at].parse() {
                        argument.descriptors.push(Descriptor { fd, is: text[at + 1..at + 1 + length].to_owned() });
                    }
                    at += length + 1;
                    start = at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Returns how far the closing quotation mark is away.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let mut escaped = false;
    let end = bytes.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map(|end| end + 1)
}

/// Returns how long a note is: up to the first `>` that is no arrow and no end of a note within it (`</dev/null<char 1:3>>`).
fn note_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len()).find(|&at| {
        let next = bytes.get(at + 1);
        bytes[at] == b'>' && (at == 0 || bytes[at - 1] != b'-') && next.is_none_or(|next| b",)]} |".contains(next))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(log: &str) -> Vec<Call> {
        let calls = parse(log).into_iter().filter_map(|entry| match entry.what {
            Seen::Call(call) => Some(call),
            _ => None,
        });
        calls.collect()
    }

    #[test]
    fn notes_are_taken_off_and_kept() {
        let log = "12  5.000100 dup2(3<pipe:[77]>, 0</dev/null<char 1:3>>) = 0<pipe:[77]>\n";
        assert_eq!((parse(log)[0].us, parse(log)[0].tid), (5_000_100, 12));
        let call = &calls(log)[0];
        assert_eq!((call.text(0), call.text(1), call.result.as_str()), ("3", "0", "0"));
        assert_eq!((call.is(0), call.is(1)), ("pipe:[77]", "/dev/null<char 1:3>"));
        assert_eq!(call.returned, Some(Descriptor { fd: 0, is: "pipe:[77]".to_owned() }));
    }

    #[test]
    fn brackets_and_strings_hold_their_commas() {
        let log = r#"1 1.000000 execve("/bin/sh", ["sh", "-c", "a, b) = 3<x>\""], 0x7ffc /* 38 vars */) = -1 ENOENT (No such file or directory)
1 1.000001 socketpair(AF_UNIX, SOCK_STREAM, 0, [5<UNIX-STREAM:[7->8]>, 6<UNIX-STREAM:[8->7]>]) = 0
1 1.000002 clone(child_stack=NULL, flags=CLONE_PIDFD|SIGCHLD, parent_tid=[18<pid:20587>]) = 20587"#;
        let calls = calls(log);
        assert_eq!(calls[0].arguments.len(), 3);
        assert_eq!(calls[0].text(1), r#"["sh", "-c", "a, b) = 3<x>\""]"#);
        assert_eq!(calls[0].error(), Some("ENOENT"));
        let ends = [(5, "UNIX-STREAM:[7->8]"), (6, "UNIX-STREAM:[8->7]")];
        assert_eq!(calls[1].text(3), "[5, 6]");
        assert_eq!(calls[1].arguments[3].descriptors, ends.map(|(fd, is)| Descriptor { fd, is: is.to_owned() }));
        assert_eq!((calls[2].text(2), calls[2].is(2)), ("parent_tid=[18]", "pid:20587"));
    }

    #[test]
    fn parts_of_a_call_are_joined_and_stand_where_they_belong() {
        let log = "\
1 1.000000 vfork( <unfinished ...>
2 1.000010 exit_group(3)   = ?
1 1.000020 <... vfork resumed>) = 2
1 1.000030 wait4(2,  <unfinished ...>
2 1.000040 +++ exited with 3 +++
3 1.000045 kill(2, SIGTERM) = 0
1 1.000050 <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 2
1 1.000060 read(0,  <unfinished ...>
1 1.000070 <... read resumed> <unfinished ...>) = ?
1 1.000080 +++ killed by SIGKILL +++
";
        let entries = parse(log);
        let names = entries.iter().map(|entry| match &entry.what {
            Seen::Call(call) => (call.call.clone(), entry.us % 1_000),
            other => (format!("{other:?}"), entry.us % 1_000),
        });
        let names: Vec<_> = names.collect();
        let names: Vec<(&str, u64)> = names.iter().map(|(name, us)| (name.as_str(), *us)).collect();
        let (exited, killed) = ("Exit(Code(3))", r#"Exit(Signal("SIGKILL"))"#);
        let order =
            [("vfork", 0), ("exit_group", 10), (exited, 40), ("kill", 45), ("wait4", 50), ("read", 70), (killed, 80)];
        assert_eq!(names, order);
        let calls = calls(log);
        assert_eq!((calls[0].result.as_str(), calls[4].result.as_str()), ("2", "?"));
        assert_eq!(calls[3].text(1), "[{WIFEXITED(s) && WEXITSTATUS(s) == 3}]");
    }

    #[test]
    fn a_signal_says_where_it_came_from() {
        for (text, from) in [
            ("SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=7, si_uid=0}", Some(7)),
            ("SIGINT {si_signo=SIGINT, si_code=SI_KERNEL}", None),
            ("SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL}", None),
        ] {
            let signal = signal(&format!("--- {text} ---"));
            assert!(matches!(signal, Some(Seen::Signal(Signal { from: found, stops: false, .. })) if found == from));
        }
        assert!(matches!(signal("--- stopped by SIGSTOP ---"), Some(Seen::Signal(Signal { stops: true, .. }))));
    }
}
