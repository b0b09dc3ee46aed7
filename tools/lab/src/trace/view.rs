//! The merged story as text or as JSON lines.

use serde::Serialize;
use transcript::{Line, Look};

use super::call::Call;
use super::cast::Cast;
use super::meaning::meaning;
use super::merge::{Event, Row, Story, collapse, subject};
use super::noise::is_preparation;
use super::signal::Signal;
use crate::terminal::{DIM, Page, cut, wrap};

/// How far calls are indented under the line that they follow.
const INDENT: usize = 5;

/// How much of the bytes that go through a call is shown, in characters.
const DATA: usize = 24;

/// The transcript as in a plain run, and under each line the calls of that moment.
pub(super) fn text(story: &Story, page: Page) -> String {
    let look = Look { coloured: page.coloured, width: voices_width(story) };
    let mut text = String::new();
    let mut moment: Vec<&Call> = Vec::new();
    let mut facts = false;
    for event in &story.events {
        if let Event::Called(call) = event {
            if !is_preparation(call) {
                moment.push(call);
            }
            continue;
        }
        text += &calls(&moment, &story.cast, page);
        moment.clear();
        match event {
            Event::Said(record) => {
                if matches!(record.line, Line::Fact { .. }) && !std::mem::replace(&mut facts, true) {
                    text += &transcript::facts_heading(look);
                }
                text += &transcript::render(&record.line, look);
            }
            Event::Printed(line) => text += &format!("{line}\n"),
            Event::Signalled(signal) => text += &explained(&arrival(signal, &story.cast), "", page),
            Event::Called(_) => {}
        }
    }
    text + &calls(&moment, &story.cast, page)
}

fn voices_width(story: &Story) -> usize {
    let voices = story.events.iter().filter_map(|event| match event {
        Event::Said(record) => match &record.line {
            Line::Say { voice, .. } | Line::Arrow { from: voice, .. } => Some(voice.chars().count()),
            _ => None,
        },
        _ => None,
    });
    voices.max().unwrap_or(0)
}

/// The calls of one moment, their meanings beside them where there is room.
fn calls(moment: &[&Call], cast: &Cast, page: Page) -> String {
    let mut text = String::new();
    for row in collapse(moment) {
        match row {
            Row::Call(call) => text += &explained(&line(call, cast, page.width - INDENT), &meaning(call, cast), page),
            Row::More { like, count, bytes } => {
                let name = cast.name(like.tid);
                let bytes = bytes.map(|bytes| format!(", {} bytes in all", grouped(bytes))).unwrap_or_default();
                let subject = subject(like).unwrap_or("…");
                let count = grouped(count as u64);
                let error = like.error().map(|error| format!(" = -1 {error}")).unwrap_or_default();
                let more = format!("[{name}] … and {count} more like it: {}({subject}){error}{bytes}", like.name);
                text += &explained(&more, "", page);
            }
        }
    }
    text
}

/// One line of a call, dimmed, and its meaning: from the middle of the page on, or on a line of its own.
fn explained(call: &str, meaning: &str, page: Page) -> String {
    let column = page.width / 2;
    let call = cut(call, page.width - INDENT);
    let length = INDENT + call.chars().count();
    let dimmed = |text: String| format!("{}\n", page.paint(&text, DIM));
    let indent = " ".repeat(INDENT);
    if meaning.is_empty() {
        return dimmed(format!("{indent}{call}"));
    }
    let at = column.max(length + 2);
    if at + meaning.chars().count() <= page.width {
        let gap = " ".repeat(at - length);
        return dimmed(format!("{indent}{call}{gap}{meaning}"));
    }
    let beneath = wrap(meaning, page.width - INDENT - 4);
    let beneath = beneath.into_iter().map(|line| dimmed(format!("{indent}    {line}")));
    dimmed(format!("{indent}{call}")) + &beneath.collect::<String>()
}

/// `[voice] SIGTERM arrives, sent by …`
fn arrival(signal: &Signal, cast: &Cast) -> String {
    format!("[{}] {}", cast.name(signal.tid), signal.words(cast))
}

/// `[voice] call(arguments) = result`, without what tells a learner nothing: addresses of memory, times, lengths of structures.
/// What is too long for `width` is cut from the arguments, never from the result.
fn line(call: &Call, cast: &Cast, width: usize) -> String {
    let arguments: Vec<String> = call.arguments.iter().filter_map(|argument| shorter(&argument.text)).collect();
    let result = match call.result.as_str() {
        "?" => String::new(),
        result => format!(" = {result}"),
    };
    let beginning = format!("[{}] {}(", cast.name(call.tid), call.name);
    let room = width.saturating_sub(beginning.chars().count() + 1 + result.chars().count());
    format!("{beginning}{}){result}", cut(&arguments.join(", "), room))
}

/// The argument as the text shows it, if it shows it.
fn shorter(argument: &str) -> Option<String> {
    const UNTOLD: [&str; 14] = [
        "si_signo=",
        "si_pid=",
        "si_status=",
        "si_uid=",
        "si_utime=",
        "si_stime=",
        "child_tidptr=",
        "parent_tid=",
        "child_tid=",
        "stack=",
        "stack_size=",
        "child_stack=",
        "tls=",
        "pidfd=",
    ];
    let environment = argument.ends_with("*/");
    if environment || UNTOLD.iter().any(|name| argument.starts_with(name)) {
        return None;
    }
    // Flags are short where strace has no name for them; addresses of memory are long.
    if argument.strip_prefix("0x").is_some_and(|digits| digits.len() >= 8) {
        return Some("…".to_owned());
    }
    if argument.starts_with('"') && !argument.starts_with("\"/") && argument.chars().count() > DATA {
        let start: String = argument.chars().take(DATA).collect();
        return Some(format!("{}…\"", start.trim_end_matches('\\')));
    }
    match argument.strip_prefix('{').and_then(|fields| fields.strip_suffix('}')) {
        Some(fields) if !fields.contains(['{', '[', '"']) => {
            let told = fields.split(", ").filter(|field| !UNTOLD.iter().any(|name| field.starts_with(name)));
            Some(format!("{{{}}}", told.collect::<Vec<_>>().join(", ")))
        }
        _ => Some(argument.to_owned()),
    }
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A call as one line of JSON.
#[derive(Debug, Serialize)]
struct Told<'a> {
    us: u64,
    pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice: Option<&'a str>,
    call: &'a str,
    arguments: String,
    result: &'a str,
    meaning: String,
}

/// A signal as one line of JSON.
#[derive(Debug, Serialize)]
struct Arrived<'a> {
    us: u64,
    pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice: Option<&'a str>,
    signal: &'a str,
    meaning: String,
}

/// The transcript's records and between them the calls and signals, every one of them.
pub(super) fn json(story: &Story) -> String {
    let mut text = String::new();
    for event in &story.events {
        match event {
            Event::Said(record) => text += &record.to_json(),
            Event::Printed(line) => text += &format!("{line}\n"),
            Event::Called(call) => {
                let told = Told {
                    us: call.us,
                    pid: story.cast.process(call.tid),
                    voice: story.cast.voice(call.tid),
                    call: &call.name,
                    arguments: call.all(),
                    result: &call.result,
                    meaning: meaning(call, &story.cast),
                };
                text += &serde_json::to_string(&told).unwrap_or_default();
                text.push('\n');
            }
            Event::Signalled(signal) => {
                let arrived = Arrived {
                    us: signal.us,
                    pid: story.cast.process(signal.tid),
                    voice: story.cast.voice(signal.tid),
                    signal: &signal.name,
                    meaning: signal.words(&story.cast),
                };
                text += &serde_json::to_string(&arrived).unwrap_or_default();
                text.push('\n');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::merge::merge;
    use super::super::strace::parse;
    use super::*;

    #[test]
    fn signals_stand_among_the_calls() {
        let output = "{\"us\":1000000,\"pid\":7,\"voice\":\"parent\",\"text\":\"hello\"}\n";
        let log = "\
7 1.000010 kill(8, SIGTERM) = 0
8 1.000020 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=7, si_uid=0} ---
8 1.000030 +++ killed by SIGTERM +++
";
        let story = merge(output, parse(log, 0));
        let text = text(&story, Page { coloured: false, width: 80 });
        assert_eq!(
            text,
            "   parent  hello\n     [parent] kill(8, SIGTERM) = 0      sends SIGTERM to pid 8\n     \
             [pid 8] SIGTERM arrives, sent by parent\n     [pid 8] is killed by SIGTERM\n"
        );
        let json = json(&story);
        let killed = r#"{"us":1000030,"pid":8,"signal":"SIGTERM","meaning":"is killed by SIGTERM"}"#;
        assert_eq!(json.lines().nth(3), Some(killed), "{json}");
    }

    /// A socket is bound once: two hundred of them are two hundred calls of one shape all the same.
    #[test]
    fn what_is_done_once_with_each_of_many_sockets_is_counted() {
        let output = "{\"us\":1000000,\"pid\":7,\"voice\":\"parent\",\"text\":\"hello\"}\n";
        let bind = |fd: u32| {
            let address = format!("{{sa_family=AF_INET, sin_port=htons({fd}), sin_addr=inet_addr(\"127.0.0.1\")}}");
            format!("7 1.0000{fd} bind({fd}<socket:[{fd}]>, {address}, 16) = 0\n")
        };
        let log: String = (10..19).map(bind).collect();
        let text = text(&merge(output, parse(&log, 0)), Page { coloured: false, width: 80 });
        assert_eq!(text.matches("bind(1").count(), 2, "{text}");
        assert!(text.ends_with("     [parent] … and 7 more like it: bind(…)\n"), "{text}");
    }

    #[test]
    fn meanings_stand_beside_short_calls_and_beneath_long_ones() {
        let output = "{\"us\":1000000,\"pid\":7,\"voice\":\"parent\",\"text\":\"hello\"}\n";
        let log = "\
7 1.000010 dup2(5<pipe:[1]>, 1</dev/null>) = 1<pipe:[1]>
7 1.000015 fcntl(5<pipe:[1]>, F_DUPFD_CLOEXEC, 100) = 100<pipe:[1]>
7 1.000020 clone3({flags=CLONE_VM|CLONE_VFORK|CLONE_CLEAR_SIGHAND, exit_signal=SIGCHLD, stack=0x7f, stack_size=0x9000}, 88) = 8
";
        let story = merge(output, parse(log, 0));
        let text = text(&story, Page { coloured: false, width: 80 });
        assert_eq!(
            text,
            "   parent  hello\n     [parent] dup2(5, 1) = 1            descriptor 1 now means what 5 meant\n     \
             [parent] clone3({flags=CLONE_VM|CLONE_VFORK|CLONE_CLEAR_SIGHAND, exit…) = 8\n         \
             a new process that borrows our memory until it execs\n"
        );
        assert!(json(&story).lines().nth(1).is_some_and(|line| line.contains("\"call\":\"dup2\"")));
        assert!(json(&story).contains("\"100 is a second number for what 5 means\""));
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!([shorter("0x5608254da310"), shorter("0x8")], [Some("…".to_owned()), Some("0x8".to_owned())]);
    }
}
