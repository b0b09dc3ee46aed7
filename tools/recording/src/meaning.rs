//! What a call means, in a few words: by its arguments and its outcome, otherwise by its name alone.

use crate::Call;
use crate::decode::{gives_bytes, takes_bytes};
use crate::origin::Context;
use crate::peers::Names;
use crate::words::{address, ending, field, kind, pair};

/// Says what `call` means; empty for a call that has no explanation yet: a test forbids that in the book's recordings.
pub(crate) fn meaning(call: &Call, context: &Context, names: &Names) -> String {
    failed(call, context)
        .or_else(|| processes(call, names))
        .or_else(|| descriptors(call, context))
        .or_else(|| streams(call))
        .or_else(|| sockets(call))
        .or_else(|| by_name(&call.call).map(str::to_owned))
        .unwrap_or_default()
}

/// What the error of a failed call means.
fn failed(call: &Call, context: &Context) -> Option<String> {
    let words = match (call.call.as_str(), call.error()?) {
        ("execve" | "execveat", error @ ("ENOENT" | "ENOTDIR" | "EACCES")) => {
            let words = match error {
                "ENOENT" => "no such file, or its interpreter is missing",
                "ENOTDIR" => "a part of that path is not a directory",
                _ => "it is here, but may not be executed",
            };
            let next = if *context == Context::TriedAgain { ", the next one is tried" } else { "" };
            return Some(format!("{words}{next}"));
        }
        ("execve" | "execveat", "ENOEXEC") => "not a format that the kernel knows",
        ("execve" | "execveat", "E2BIG") => "the arguments are more than the kernel takes",
        ("kill" | "tgkill" | "pidfd_send_signal", "ESRCH") => "there is no such process any more",
        ("kill" | "tgkill" | "pidfd_send_signal", "EPERM") => "the process belongs to another user",
        ("wait4" | "waitid", "ECHILD") => "no child is left to wait for",
        ("bind" | "listen", "EADDRINUSE") => "another socket holds that address already",
        ("bind", "EACCES") => "that port is for privileged processes",
        ("connect", "EINPROGRESS") => "begun; epoll will tell when it is done",
        ("connect", "ECONNREFUSED") => "no process listens there",
        ("write" | "writev" | "sendmsg" | "sendto", "EPIPE") => "no process can read it any more",
        (_, "EAGAIN") => "not now without waiting; epoll will tell when",
        (_, "EINTR") => "a signal came before it was done",
        (_, "EMFILE") => "this process has no descriptor left",
        (_, "EBADF") => "no such descriptor is open here",
        (_, "ENOENT") => "there is no such file",
        (_, "EACCES" | "EPERM") => "not allowed",
        (_, "ECONNRESET") => "the other end closed it without reading",
        (_, error) => return Some(format!("fails: {}", error.split(' ').next().unwrap_or(error))),
    };
    Some(words.to_owned())
}

fn processes(call: &Call, names: &Names) -> Option<String> {
    let pid = |text: &str| text.parse().map_or_else(|_| format!("pid {text}"), |pid| names.name(pid));
    let target = |place: usize| call.is(place).strip_prefix("pid:").map_or_else(|| "the process".to_owned(), pid);
    Some(match call.call.as_str() {
        "execve" | "execveat" => {
            let path = call.arguments.iter().map(|argument| &argument.text).find(|text| text.starts_with('"'))?;
            let file = path.trim_matches('"').rsplit('/').next().unwrap_or_default();
            format!("from here on this process is {file}")
        }
        "clone" | "clone3" | "fork" | "vfork" => {
            let child = call.number().and_then(|pid| u32::try_from(pid).ok());
            let named = child.and_then(|pid| names.known(pid)).map(|name| format!(" ({name})")).unwrap_or_default();
            if call.makes_thread() {
                "a new thread of this process".to_owned()
            } else if call.call == "vfork" || call.any_argument("CLONE_VFORK") {
                format!("a new process{named} that borrows our memory until it execs")
            } else {
                format!("a new process{named} with a copy of our memory (copy on write)")
            }
        }
        "exit_group" => format!("ends with code {}", call.text(0)),
        "wait4" => {
            let Some(how) = ending(call.text(1)) else {
                return (call.result == "0").then(|| "still running".to_owned());
            };
            format!("learns that {} ended {how}", pid(&call.result))
        }
        "waitid" => {
            let Some(how) = ending(call.text(2)) else {
                return (call.result == "0").then(|| "still running".to_owned());
            };
            let who = pid(field(call.text(2), "si_pid=")?);
            // The first look is for news only, and a later call says the same once more.
            let left = if call.text(3).contains("WNOWAIT") { ", and leaves it to be waited for" } else { "" };
            format!("learns that {who} ended {how}{left}")
        }
        "kill" if call.text(1) == "0" => "only asks whether it is still there".to_owned(),
        "kill" => match call.text(0).strip_prefix('-') {
            Some(group) => format!("sends {} to the whole process group {group}", call.text(1)),
            None => format!("sends {} to {}", call.text(1), pid(call.text(0))),
        },
        "tgkill" => format!("sends {} to one thread", call.text(2)),
        "pidfd_send_signal" if call.text(1) == "0" => "only asks whether it is still there".to_owned(),
        "pidfd_send_signal" => format!("sends {} to {}", call.text(1), target(0)),
        "pidfd_open" => format!("a descriptor that stands for {}", pid(call.text(0))),
        "setpgid" => "moves into a process group of its own".to_owned(),
        "chdir" => format!("the working directory is now {}", call.text(0).trim_matches('"')),
        _ => return None,
    })
}

fn descriptors(call: &Call, context: &Context) -> Option<String> {
    Some(match call.call.as_str() {
        "pipe" | "pipe2" => {
            let (read, write) = pair(call.text(0))?;
            format!("a pipe: what is written to {write} is read from {read}")
        }
        "socketpair" => {
            let (one, other) = pair(call.text(3))?;
            format!("two connected sockets: {one} and {other}")
        }
        "dup2" | "dup3" if call.text(0) == call.text(1) => "it is in its place already".to_owned(),
        "dup2" | "dup3" => match context {
            Context::Copied(origin) => origin.words(call.text(0), call.text(1)),
            _ => return None,
        },
        "dup" => format!("{} is a second number for what {} means", call.result, call.text(0)),
        "close" => format!("closes its descriptor of {}", kind(call.is(0))),
        "close_range" if call.text(2).contains("CLOEXEC") => {
            "all of these are closed when this process execs".to_owned()
        }
        "open" => format!("opens {}", call.text(0).trim_matches('"')),
        "openat" => format!("opens {}", call.text(1).trim_matches('"')),
        _ => return None,
    })
}

fn streams(call: &Call) -> Option<String> {
    let (gives, takes) = (gives_bytes(&call.call), takes_bytes(&call.call));
    let at_end = takes && call.result == "0";
    let words = match &call.passed[..] {
        _ if !gives && !takes => return None,
        _ if at_end && kind(call.is(0)) == "a file" => "the end of the file",
        _ if at_end => "the end: no process can write any more",
        _ if call.any_argument("MSG_CTRUNC") => "descriptors came, but not all had room",
        // What went through says all.
        [] => "",
        [passed, ..] if gives => return Some(format!("with it goes what descriptor {} refers to", passed.fd)),
        [passed, ..] => return Some(format!("with it came new descriptor {}", passed.fd)),
    };
    Some(words.to_owned())
}

fn sockets(call: &Call) -> Option<String> {
    Some(match call.call.as_str() {
        "socket" => match (call.text(0), call.text(1).split('|').next().unwrap_or("")) {
            ("AF_UNIX", _) => "a local socket, not yet connected to anything".to_owned(),
            (_, "SOCK_STREAM") => "a TCP socket, not yet connected to anything".to_owned(),
            (_, "SOCK_DGRAM") => "a UDP socket, not yet bound to a port".to_owned(),
            _ => return None,
        },
        "bind" if call.text(1).contains("htons(0)") => "takes a port that the kernel chooses".to_owned(),
        "bind" => format!("takes the address {}", address(call.text(1))?),
        "listen" => format!("connections may come; up to {} wait for accept", call.text(1)),
        "accept" | "accept4" if call.times > 1 => format!("takes {} connections", call.times),
        "accept" | "accept4" => format!("takes the next connection: descriptor {}", call.number()?),
        "connect" => format!("connects to {}", address(call.text(1))?),
        "setsockopt" => match call.text(2) {
            option @ ("SO_REUSEADDR" | "SO_REUSEPORT") if call.text(3) == "[0]" => format!("{option} is off"),
            "SO_REUSEADDR" => "may take an address that old connections still use".to_owned(),
            "SO_REUSEPORT" => "other sockets with this option may take the same address".to_owned(),
            "TCP_NODELAY" => "small pieces are sent at once".to_owned(),
            _ => return None,
        },
        "epoll_ctl" => match call.text(1) {
            "EPOLL_CTL_ADD" => format!("also watches descriptor {}", call.text(2)),
            "EPOLL_CTL_DEL" => format!("no longer watches descriptor {}", call.text(2)),
            _ => format!("watches descriptor {} for other events", call.text(2)),
        },
        "epoll_wait" | "epoll_pwait" | "epoll_pwait2" | "poll" | "ppoll" => match call.number()? {
            0 => "nothing happened in time".to_owned(),
            1 => "one descriptor is ready".to_owned(),
            ready => format!("{ready} descriptors are ready"),
        },
        _ => return None,
    })
}

/// What a call does whose arguments tell nothing here.
fn by_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "accept" | "accept4" => "takes the next connection",
        "bind" => "takes an address",
        "close_range" => "closes a whole range of descriptors",
        "connect" => "connects to an address",
        "dup2" | "dup3" => "a second number for the same open file, at a chosen place",
        "epoll_create1" => "a place to watch many descriptors at once",
        "epoll_pwait" | "epoll_wait" | "poll" | "ppoll" => "waits until a descriptor is ready",
        "eventfd2" => "a counter to wake others with",
        "execve" | "execveat" => "this process becomes another program",
        "fcntl" | "ioctl" => "asks for or sets a property of a descriptor",
        "flock" => "takes or releases a lock on the file",
        "futex" => "waits for another thread, or wakes it",
        "getpeername" => "asks which address is at the other end",
        "getsockname" => "asks which address was taken",
        "getsockopt" => "asks how the socket is set up",
        "memfd_create" => "a file that is only in memory",
        "pidfd_getfd" => "a copy of another process's descriptor",
        "prctl" => "sets a property of this process",
        "prlimit64" | "setrlimit" => "asks for or sets a limit",
        "rt_sigaction" => "says what a signal shall do",
        "rt_sigprocmask" => "says which signals have to wait",
        "sendfile" | "splice" => "moves bytes between descriptors inside the kernel",
        "setgid" | "setgroups" => "changes the group",
        "setsid" => "a new session, without a terminal",
        "setsockopt" => "sets up the socket",
        "setuid" => "becomes another user",
        "shutdown" => "says that it will not send or read any more",
        "signalfd4" => "signals as something to read",
        "socket" => "a socket, not yet connected to anything",
        "timerfd_create" | "timerfd_settime" => "a timer as something to read",
        "unlink" | "unlinkat" => "removes a file's name",
        "wait4" | "waitid" => "waits for a child to end",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::explain::tests::meanings;

    fn means(call: &str) -> String {
        let line =
            r#"write(1<pipe:[99]>, "{\"us\":1,\"pid\":7,\"voice\":\"worker 1\",\"text\":\"hello\"}\n", 60) = 60"#;
        let name = call.split('(').next().unwrap_or_default();
        let other = "9 1.0 read(3<pipe:[1]>, \"\", 1) = 0";
        let log = format!("7 1.0 execve(\"lab\") = 0\n7 1.0 {line}\n1 1.0 {call}\n{other}\n");
        meanings(&log, name).into_iter().find(|meaning| !meaning.contains("process is lab")).unwrap_or_default()
    }

    #[test]
    fn arguments_and_outcomes_count() {
        for (call, words) in [
            ("dup2(5<pipe:[1]>, 1</dev/null>) = 1<pipe:[1]>", "descriptor 1 now means what 5 meant"),
            (
                "clone(child_stack=0x7f, flags=CLONE_VM|CLONE_VFORK|SIGCHLD) = 7",
                "a new process (worker 1) that borrows our memory until it execs",
            ),
            (
                "clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD) = 8",
                "a new process with a copy of our memory (copy on write)",
            ),
            (
                r#"execve("/usr/local/bin/cat", ["cat"], 0x7f /* 38 vars */) = -1 ENOENT (No such file or directory)"#,
                "no such file, or its interpreter is missing",
            ),
            ("pidfd_send_signal(3<pid:7>, SIGTERM, NULL, 0) = 0", "sends SIGTERM to worker 1"),
            ("kill(-12, SIGKILL) = 0", "sends SIGKILL to the whole process group 12"),
            (
                "waitid(P_PIDFD, 3<pid:7>, {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=7, si_uid=0, si_status=SIGTERM}, WEXITED, NULL) = 0",
                "learns that worker 1 ended by SIGTERM",
            ),
            (
                "waitid(P_PIDFD, 3<pid:7>, {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=7, si_status=0}, WNOHANG|WEXITED|WNOWAIT, NULL) = 0",
                "learns that worker 1 ended with code 0, and leaves it to be waited for",
            ),
            (
                "clone3({flags=0, exit_signal=SIGCHLD}, 88) = 7",
                "a new process (worker 1) with a copy of our memory (copy on write)",
            ),
            ("fork() = 7", "a new process (worker 1) with a copy of our memory (copy on write)"),
            ("vfork() = 7", "a new process (worker 1) that borrows our memory until it execs"),
            ("setsockopt(9<TCP:[1]>, SOL_SOCKET, SO_REUSEADDR, [0], 4) = 0", "SO_REUSEADDR is off"),
            ("wait4(7, 0x7fff, WNOHANG, NULL) = 0", "still running"),
            (
                "sendmsg(5<UNIX-STREAM:[1->2]>, {msg_iov=[{iov_base=\"x\", iov_len=1}], msg_control=[{cmsg_len=24, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[4<TCP:[1]>]}], msg_flags=0}, 0) = 1",
                "with it goes what descriptor 4 refers to",
            ),
            (
                r#"bind(9<TCP:[1]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 EADDRINUSE (Address already in use)"#,
                "another socket holds that address already",
            ),
            ("pipe2([3<pipe:[1]>, 4<pipe:[1]>], O_CLOEXEC) = 0", "a pipe: what is written to 4 is read from 3"),
            ("read(3<pipe:[1]>, \"\", 65536) = 0", "the end: no process can write any more"),
        ] {
            assert_eq!(means(call), words, "{call}");
        }
    }
}
