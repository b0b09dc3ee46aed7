//! Which calls are not the lesson.

use std::collections::{HashMap, HashSet};

use crate::words::ends;
use crate::{Call, Event, What};

/// Parts of the names of files that only the dynamic loader, the C library, Rust's runtime and Node look at.
const RUNTIME_FILES: &str = ".cjs .js .mjs .node .so /etc/ld.so /etc/locale /etc/localtime /etc/nsswitch.conf /etc/ssl/ /gconv/ /locale/ \
    /sys/fs/cgroup/ openssl package.json";

/// What is needed to tell whether a call has nothing to do with the lesson:
///
/// 1. it is none of the calls to show, nor does it the same in another language;
/// 2. the first process makes it before the transcript begins, except that it runs the lab;
/// 3. it handles the descriptor through which the transcript is written;
/// 4. it belongs to the start of a program: the loader's and the runtime's files;
/// 5. it is a runtime waking itself: by an eventfd, or by a pipe or a socket pair that no other process uses;
/// 6. it reads what the kernel says about a process, in `/proc`: that is how a lab measures, not what it does;
/// 7. it makes a thread of Node;
/// 8. it is an `fcntl` that copies no descriptor, or a call that is made again after a signal.
pub(crate) struct Noise<'a> {
    shown: &'a [String],
    /// What the transcript is written to.
    transcript: Option<String>,
    /// The pipes and socket pairs that were made in this run and that one process alone uses.
    private: HashSet<String>,
    /// The first process, and the place of the first line.
    start: Option<(u32, usize)>,
}

impl<'a> Noise<'a> {
    pub(crate) fn of(events: &[Event], transcript: Option<String>, shown: &'a [String]) -> Noise<'a> {
        let mut users: HashMap<String, HashSet<u32>> = HashMap::new();
        let mut private = HashSet::new();
        for event in events {
            let What::Call(call) = &event.what else { continue };
            let makes = ["pipe", "pipe2", "socketpair"].contains(&call.call.as_str());
            for is in descriptors(call) {
                users.entry(channel(is)).or_default().insert(event.pid);
                private.extend(makes.then(|| channel(is)));
            }
        }
        private.retain(|channel| users[channel].len() == 1);
        let first_line = events.iter().position(|event| matches!(event.what, What::Line { .. }));
        let start = events.first().zip(first_line).map(|(event, line)| (event.pid, line));
        Noise { shown, transcript, private, start }
    }

    /// Leaves out the calls that have nothing to do with the lesson.
    pub(crate) fn without(&self, events: Vec<Event>) -> Vec<Event> {
        let mut programs: HashMap<u32, String> = HashMap::new();
        let mut kept = Vec::new();
        for (at, event) in events.into_iter().enumerate() {
            let keeps = match &event.what {
                What::Call(call) => {
                    let starts = at > 0 && self.start.is_some_and(|(pid, line)| event.pid == pid && at < line);
                    let in_node = programs.get(&event.pid).is_some_and(|program| program == "node");
                    let noise = starts || (in_node && call.makes_thread()) || self.is_noise(call);
                    self.shows(call) && !noise
                }
                What::Starts { starts } => {
                    programs.extend(programs.get(&event.pid).cloned().map(|program| (*starts, program)));
                    true
                }
                What::Program { program } => {
                    programs.insert(event.pid, program.clone());
                    true
                }
                _ => true,
            };
            if keeps {
                kept.push(event);
            }
        }
        kept
    }

    /// Tells whether the call is one to show, or one by which the other language does the same.
    fn shows(&self, call: &Call) -> bool {
        let local = call.is(0).starts_with("UNIX-STREAM");
        let same = match call.call.as_str() {
            "accept" => "accept4",
            "dup3" => "dup2",
            "kill" => "pidfd_send_signal",
            // Node has no pipes for its children, but socket pairs.
            "pipe" | "socketpair" => "pipe2",
            "wait4" => "waitid",
            "read" | "readv" | "recvfrom" if local => "recvmsg",
            "sendto" | "write" | "writev" if local => "sendmsg",
            other => other,
        };
        self.shown.iter().any(|shown| *shown == same || *shown == call.call)
    }

    fn is_noise(&self, call: &Call) -> bool {
        let (name, is) = (call.call.as_str(), call.is(0));
        let opened = if name.starts_with("open") { call.text(1) } else { "" };
        let is_file = (is.starts_with('/') || !opened.is_empty()) && !call.executes();
        Some(is) == self.transcript.as_deref()
            || (is_file && RUNTIME_FILES.split_whitespace().any(|part| is.contains(part) || opened.contains(part)))
            || descriptors(call).next().is_some_and(|is| self.private.contains(&channel(is)))
            || is == "anon_inode:[eventfd]"
            || is.starts_with("/proc/")
            || opened.starts_with("\"/proc/")
            || match name {
                "close" => is.is_empty() || is.starts_with('/') || is.starts_with("anon_inode:"),
                "fcntl" => !call.text(1).starts_with("F_DUPFD"),
                _ => call.result.starts_with("? ERESTART"),
            }
    }
}

/// Returns what all descriptors in a call refer to.
fn descriptors(call: &Call) -> impl Iterator<Item = &str> {
    let arguments = call.arguments.iter().flat_map(|argument| &argument.descriptors);
    arguments.chain(&call.passed).chain(&call.returned).map(|descriptor| descriptor.is.as_str())
}

/// Returns a name that both ends of a socket pair or a pipe have.
fn channel(is: &str) -> String {
    match ends(is) {
        Some((near, far)) => format!("{} {}", near.min(far), near.max(far)),
        None => is.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::What;
    use crate::record::tests::recording;

    #[test]
    fn the_transcript_and_the_runtimes_are_noise_and_the_lesson_is_not() {
        let log = r#"
1 1.0 write(3<pipe:[9]>, "{\"us\":1,\"pid\":1,\"step\":1,\"title\":\"\"}\n", 53) = 53
1 1.0 dup2(3<pipe:[9]>, 99) = 99<pipe:[9]>
1 1.0 openat(AT_FDCWD</tmp>, "/usr/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY) = 3</usr/lib/x86_64-linux-gnu/libc.so.6>
1 1.0 read(3</usr/lib/x86_64-linux-gnu/libc.so.6>, "\177ELF", 832) = 832
1 1.0 write(5<anon_inode:[eventfd]>, "\1", 8) = 8
1 1.0 read(10</proc/22188/status>, "Name:", 32) = 5
1 1.0 fcntl(11<pipe:[8]>, F_SETFD, FD_CLOEXEC) = 0
1 1.0 pipe2([20<pipe:[6]>, 21<pipe:[6]>], O_CLOEXEC) = 0
1 1.0 write(21<pipe:[6]>, "*", 1) = 1
1 1.0 socketpair(AF_UNIX, SOCK_STREAM, 0, [22<UNIX-STREAM:[4->5]>, 23<UNIX-STREAM:[5->4]>]) = 0
1 1.0 read(30</lab/node/child.js>, "'use", 800) = 800
1 1.0 close(30</lab/node/child.js>) = 0
1 1.0 clone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 9
1 1.0 execve("/bin/node", ["node"], 0x7f /* 3 vars */) = 0
1 1.0 clone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 10
1 1.0 fork() = 2
2 1.0 clone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 11
1 1.0 wait4(-1,  <unfinished ...>
1 1.0 <... wait4 resumed>0x7f, 0, NULL) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
"#;
        let lesson = r#"
1 1.0 write(4<pipe:[8]>, "hello.so", 8) = 8
1 1.0 execve("/x/.sorted/a.so", ["a"], 0x7f /* 3 vars */) = 0
1 1.0 read(0</tmp/input>, "x", 1) = 1
1 1.0 fcntl(11<pipe:[8]>, F_DUPFD_CLOEXEC, 100) = 100<pipe:[8]>
1 1.0 pipe2([12<pipe:[7]>, 13<pipe:[7]>], O_CLOEXEC) = 0
2 1.0 dup2(13<pipe:[7]>, 1) = 1<pipe:[7]>
1 1.0 close(13<pipe:[7]>) = 0
"#;
        let calls = recording(&format!("{log}{lesson}")).events.into_iter().filter_map(|event| match event.what {
            What::Call(call) => Some(call.call),
            _ => None,
        });
        let lesson = ["write", "execve", "read", "fcntl", "pipe2", "dup2", "close"];
        let calls: Vec<String> = calls.collect();
        assert_eq!(calls, [&["clone3", "execve", "fork"], &lesson[..]].concat());
    }

    /// Before the first line, the lab only starts. In Node it sends by `write` what Rust sends by `sendmsg`.
    #[test]
    fn what_is_shown_begins_with_the_transcript_and_is_the_same_in_both_languages() {
        let log = r#"
1 1.0 execve("/bin/lab", ["lab"], 0x7f) = 0
1 1.0 socket(AF_INET, SOCK_STREAM, 0) = 3
2 1.0 socket(AF_INET, SOCK_STREAM, 0) = 3
1 1.0 write(1<pipe:[9]>, "{\"us\":1,\"pid\":1,\"step\":1,\"title\":\"\"}\n", 53) = 53
1 1.0 write(5<UNIX-STREAM:[7->8]>, "x", 1) = 1
1 1.0 write(5<TCP:[a:1->b:2]>, "x", 1) = 1
"#;
        let shown = ["execve", "socket", "sendmsg"].map(str::to_owned);
        let header = recording("").header;
        let recording = crate::Recording::new(header, log, &shown, &crate::Places::default());
        let kinds = recording.events.iter().map(|event| match &event.what {
            What::Call(call) => format!("{} {} {}", event.pid, call.call, call.is(0)),
            _ => String::new(),
        });
        let kinds: Vec<String> = kinds.filter(|kind| !kind.is_empty()).collect();
        assert_eq!(kinds, ["1 execve ", "2 socket ", "1 write UNIX-STREAM:[7->8]"]);
    }
}
