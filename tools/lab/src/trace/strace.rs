//! strace's lines as calls and signals.
//!
//! `-f -ttt -yy -o FILE` makes lines like `4711  1795222490.948 dup2(3<pipe:[7758]>, 0</dev/null>) = 0<pipe:[7758]>`. A call that
//! is still going on when another process does something is written in two parts, `<unfinished ...>` and `<... dup2 resumed>`.

use std::collections::HashMap;

use super::call::{Argument, Call};
use super::origin::Context;
use super::signal::Signal;

/// What strace saw, calls and signals each in their order in time.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) calls: Vec<Call>,
    pub(super) signals: Vec<Signal>,
}

/// All that `log` tells of. `offset` is what `CLOCK_REALTIME` is ahead of `CLOCK_MONOTONIC`, in microseconds.
pub(super) fn parse(log: &str, offset: u64) -> Seen {
    let mut begun: HashMap<u32, (u64, String)> = HashMap::new();
    let (mut calls, mut signals) = (Vec::new(), Vec::new());
    for line in log.lines() {
        let Some((tid, us, text)) = prefix(line, offset) else { continue };
        if let Some(beginning) = text.strip_suffix("<unfinished ...>").filter(|text| !text.starts_with("<... ")) {
            begun.insert(tid, (us, beginning.trim_end().to_owned()));
        } else if let Some(rest) = text.strip_prefix("<... ") {
            let Some((_, rest)) = rest.split_once(" resumed>") else { continue };
            let Some((began, beginning)) = begun.remove(&tid) else { continue };
            calls.extend(call(tid, began, us, &format!("{beginning}{rest}")));
        } else if let Some(signal) = Signal::parse(us, tid, text) {
            signals.push(signal);
        } else {
            calls.extend(call(tid, us, us, text));
        }
    }
    calls.sort_by_key(|call| call.us);
    signals.sort_by_key(|signal| signal.us);
    Seen { calls, signals }
}

/// Thread, microseconds and the rest of a line.
fn prefix(line: &str, offset: u64) -> Option<(u32, u64, &str)> {
    let (tid, rest) = line.split_once(' ')?;
    let (time, text) = rest.trim_start().split_once(' ')?;
    let (seconds, fraction) = time.split_once('.')?;
    let us = seconds.parse::<u64>().ok()? * 1_000_000 + fraction.parse::<u64>().ok()?;
    Some((tid.parse().ok()?, us.saturating_sub(offset), text))
}

/// One whole call. What is no call, such as `+++ exited with 0 +++`, is nothing.
fn call(tid: u32, began: u64, ended: u64, text: &str) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    // A process that was killed inside the call leaves `<unfinished ...>) = ?`.
    let rest = rest.replace("<unfinished ...>", "");
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let (result, _) = without_notes(result);
    let result = result.split(" (").next().unwrap_or_default().trim().to_owned();
    let us = if waits(name) { ended } else { began };
    let context = Context::Nothing;
    Some(Call { us, tid, name: name.to_owned(), arguments: split(arguments), result, context })
}

/// Whether a call waits for what somebody else does. Such a call belongs to the moment at which it returned, any other one to the
/// moment at which it began: a `clone` goes before what the new process does.
fn waits(name: &str) -> bool {
    const WAITING: [&str; 17] = [
        "accept",
        "accept4",
        "epoll_pwait",
        "epoll_pwait2",
        "epoll_wait",
        "flock",
        "futex",
        "poll",
        "ppoll",
        "pselect6",
        "read",
        "readv",
        "recvfrom",
        "recvmsg",
        "select",
        "wait4",
        "waitid",
    ];
    WAITING.contains(&name)
}

/// The arguments, cut at the commas that are inside no string and no bracket.
fn split(text: &str) -> Vec<Argument> {
    let (text, notes) = without_notes(text);
    let mut arguments: Vec<Argument> = Vec::new();
    let (mut start, mut depth, mut quoted, mut escaped) = (0, 0_i32, false, false);
    let mut push = |start: usize, end: usize| {
        let notes = notes.iter().filter(|(at, _)| (start..=end).contains(at)).map(|(_, note)| note.clone());
        arguments.push(Argument { text: text[start..end].trim().to_owned(), notes: notes.collect() });
    };
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b',' if depth == 0 => {
                push(start, at);
                start = at + 1;
            }
            _ => {}
        }
    }
    if !text[start..].trim().is_empty() {
        push(start, text.len());
    }
    arguments
}

/// `text` without what `-yy` puts behind descriptors, and those notes with their places in the result.
fn without_notes(text: &str) -> (String, Vec<(usize, String)>) {
    let mut bare = String::with_capacity(text.len());
    let mut notes = Vec::new();
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted && bare.ends_with(|last: char| last.is_ascii_digit() || last == 'D') => {
                if let Some(length) = note_length(&text[at + 1..]) {
                    notes.push((bare.len(), text[at + 1..at + 1 + length].to_owned()));
                    let skipped = at + length + 2;
                    let (rest, more) = without_notes(&text[skipped..]);
                    notes.extend(more.into_iter().map(|(place, note)| (place + bare.len(), note)));
                    bare.push_str(&rest);
                    return (bare, notes);
                }
            }
            _ => {}
        }
        bare.push(character);
    }
    (bare, notes)
}

/// How long a note is: up to the first `>` that is no arrow and no end of a note within it (`</dev/null<char 1:3>>`).
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

    #[test]
    fn notes_are_taken_off_and_kept() {
        let log = "12  5.000100 dup2(3<pipe:[77]>, 0</dev/null<char 1:3>>) = 0<pipe:[77]>\n";
        let calls = parse(log, 1_000_000).calls;
        let call = &calls[0];
        assert_eq!((call.us, call.tid, call.all().as_str(), call.result.as_str()), (4_000_100, 12, "3, 0", "0"));
        assert_eq!((call.note(0), call.note(1)), ("pipe:[77]", "/dev/null<char 1:3>"));
    }

    #[test]
    fn brackets_and_strings_hold_their_commas() {
        let log = r#"1 1.000000 execve("/bin/sh", ["sh", "-c", "a, b) = 3<x>"], 0x7ffc /* 38 vars */) = -1 ENOENT (No such file or directory)
1 1.000001 socketpair(AF_UNIX, SOCK_STREAM, 0, [5<UNIX-STREAM:[7->8]>, 6<UNIX-STREAM:[8->7]>]) = 0"#;
        let calls = parse(log, 0).calls;
        assert_eq!(calls[0].arguments.len(), 3);
        assert_eq!(calls[0].text(1), r#"["sh", "-c", "a, b) = 3<x>"]"#);
        assert_eq!(calls[0].error(), Some("ENOENT"));
        assert_eq!(calls[1].text(3), "[5, 6]");
        assert_eq!(calls[1].notes(3), ["UNIX-STREAM:[7->8]", "UNIX-STREAM:[8->7]"]);
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
        let Seen { calls, signals } = parse(log, 0);
        assert_eq!(signals.iter().map(|signal| signal.us % 1_000).collect::<Vec<_>>(), [80]);
        let names: Vec<(&str, u64)> = calls.iter().map(|call| (call.name.as_str(), call.us % 1_000)).collect();
        assert_eq!(names, [("vfork", 0), ("exit_group", 10), ("kill", 45), ("wait4", 50), ("read", 70)]);
        assert_eq!(calls[0].result, "2");
        assert_eq!(calls[3].text(1), "[{WIFEXITED(s) && WEXITSTATUS(s) == 3}]");
        assert_eq!(calls[4].result, "?");
    }
}
