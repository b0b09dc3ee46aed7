//! What a call means, in a few words: by its arguments and its outcome, otherwise by its name alone (`plain.rs`).

use super::address::{address, ending, field, kind, pair};
use super::merge::Cast;
use super::plain;
use super::strace::Call;

/// The meaning of `call`; empty for a call that nobody has explained yet, which a test forbids for those that labs trace.
pub(super) fn meaning(call: &Call, cast: &Cast) -> String {
    failed(call)
        .or_else(|| processes(call, cast))
        .or_else(|| descriptors(call))
        .or_else(|| streams(call))
        .or_else(|| sockets(call))
        .or_else(|| plain::meaning(&call.name).map(str::to_owned))
        .unwrap_or_default()
}

/// What the error of a failed call means.
fn failed(call: &Call) -> Option<String> {
    let words = match (call.name.as_str(), call.error()?) {
        ("execve" | "execveat", "ENOENT") => "not here, the next PATH entry is tried",
        ("execve" | "execveat", "EACCES") => "it is here, but may not be executed",
        ("execve" | "execveat", "ENOEXEC") => "no format that the kernel knows",
        ("execve" | "execveat", "E2BIG") => "the arguments are more than the kernel takes",
        ("kill" | "tgkill" | "pidfd_send_signal", "ESRCH") => "there is no such process any more",
        ("kill" | "tgkill" | "pidfd_send_signal", "EPERM") => "the process is somebody else's",
        ("wait4" | "waitid", "ECHILD") => "no child is left to wait for",
        ("bind" | "listen", "EADDRINUSE") => "somebody holds that address already",
        ("bind", "EACCES") => "that port is for privileged processes",
        ("connect", "EINPROGRESS") => "begun; epoll will tell when it is done",
        ("connect", "ECONNREFUSED") => "nobody listens there",
        ("write" | "writev" | "sendmsg" | "sendto", "EPIPE") => "nobody is left who could read it",
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

fn processes(call: &Call, cast: &Cast) -> Option<String> {
    let pid = |text: &str| text.parse().map_or_else(|_| format!("pid {text}"), |pid| cast.name(pid));
    let target = |place: usize| call.note(place).strip_prefix("pid:").map_or_else(|| "the process".to_owned(), pid);
    Some(match call.name.as_str() {
        "execve" | "execveat" => {
            let path = call.arguments.iter().map(|argument| &argument.text).find(|text| text.starts_with('"'))?;
            let file = path.trim_matches('"').rsplit('/').next().unwrap_or_default();
            format!("from here on this process is {file}")
        }
        "clone" | "clone3" | "fork" | "vfork" => {
            let all = call.all();
            let child = call.number().and_then(|pid| u32::try_from(pid).ok());
            let named = child.and_then(|pid| cast.voice(pid)).map(|voice| format!(" ({voice})")).unwrap_or_default();
            if all.contains("CLONE_THREAD") {
                "a new thread of this process".to_owned()
            } else if call.name == "vfork" || all.contains("CLONE_VFORK") {
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
            format!("learns that {} ended {how}", pid(field(call.text(2), "si_pid=")?))
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

fn descriptors(call: &Call) -> Option<String> {
    Some(match call.name.as_str() {
        "pipe" | "pipe2" => {
            let (read, write) = pair(call.text(0))?;
            format!("a pipe: what is written to {write} is read from {read}")
        }
        "socketpair" => {
            let (one, other) = pair(call.text(3))?;
            format!("two sockets joined back to back: {one} and {other}")
        }
        "dup2" | "dup3" if call.text(0) == call.text(1) => "it is in its place already".to_owned(),
        "dup2" | "dup3" => format!("descriptor {} now means what {} meant", call.text(1), call.text(0)),
        "dup" => format!("{} is a second number for what {} means", call.result, call.text(0)),
        "fcntl" => match call.text(1) {
            "F_DUPFD" | "F_DUPFD_CLOEXEC" => {
                format!("{} is a second number for what {} means", call.result, call.text(0))
            }
            "F_SETFD" if call.text(2) == "FD_CLOEXEC" => "closed when this process execs".to_owned(),
            "F_SETFD" => "stays open when this process execs".to_owned(),
            "F_SETFL" if call.text(2).contains("O_NONBLOCK") => "from now on nobody waits at it".to_owned(),
            "F_SETLK" | "F_SETLKW" | "F_OFD_SETLK" | "F_OFD_SETLKW" => "takes or frees a lock on the file".to_owned(),
            _ => return None,
        },
        "close" => format!("lets go of {}", kind(call.note(0))),
        "close_range" if call.text(2).contains("CLOEXEC") => {
            "all of these are closed when this process execs".to_owned()
        }
        "open" => format!("opens {}", call.text(0).trim_matches('"')),
        "openat" => format!("opens {}", call.text(1).trim_matches('"')),
        _ => return None,
    })
}

/// How much went through, if anything did.
fn bytes(call: &Call) -> Option<String> {
    let number = call.number()?;
    Some(if number == 1 { "1 byte".to_owned() } else { format!("{number} bytes") })
}

fn streams(call: &Call) -> Option<String> {
    let kind = kind(call.note(0));
    Some(match call.name.as_str() {
        "read" | "readv" if call.result == "0" && kind == "a file" => "the end of the file".to_owned(),
        "read" | "readv" | "recvfrom" if call.result == "0" => "the end: nobody is left who could write".to_owned(),
        "read" | "readv" | "recvfrom" => format!("{} from {kind}", bytes(call)?),
        "write" | "writev" | "sendto" => format!("{} to {kind}", bytes(call)?),
        "sendmsg" | "recvmsg" => {
            let rights = call.text(1).split("SCM_RIGHTS, cmsg_data=[").nth(1).and_then(|rest| rest.split(']').next());
            match (call.name.as_str(), rights) {
                ("sendmsg", Some(sent)) => {
                    format!("{}, and with them what descriptor {sent} refers to", bytes(call)?)
                }
                (_, Some(_)) if call.text(1).contains("MSG_CTRUNC") => {
                    "descriptors came, but not all had room".to_owned()
                }
                (_, Some(got)) => format!("{}, and with them new descriptor {got}", bytes(call)?),
                ("recvmsg", None) if call.result == "0" => "the end: the other side has closed".to_owned(),
                ("recvmsg", None) => format!("{} from {kind}", bytes(call)?),
                _ => format!("{} to {kind}", bytes(call)?),
            }
        }
        _ => return None,
    })
}

fn sockets(call: &Call) -> Option<String> {
    Some(match call.name.as_str() {
        "socket" => match (call.text(0), call.text(1).split('|').next().unwrap_or("")) {
            ("AF_UNIX", _) => "a local socket, not yet joined to anything".to_owned(),
            (_, "SOCK_STREAM") => "a TCP socket, not yet joined to anything".to_owned(),
            (_, "SOCK_DGRAM") => "a UDP socket, not yet bound to a port".to_owned(),
            _ => return None,
        },
        "bind" if call.text(1).contains("htons(0)") => "takes a port that the kernel chooses".to_owned(),
        "bind" => format!("takes the address {}", address(call.text(1))),
        "listen" => format!("connections may come; up to {} wait for accept", call.text(1)),
        "accept" | "accept4" => format!("takes the next connection: descriptor {}", call.number()?),
        "connect" => format!("connects to {}", address(call.text(1))),
        "setsockopt" => match call.text(2) {
            "SO_REUSEADDR" => "may take an address that old connections still use".to_owned(),
            "SO_REUSEPORT" => "others who say so too may take the same address".to_owned(),
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

#[cfg(test)]
mod tests {
    use super::super::merge::merge;
    use super::super::strace::parse;
    use super::*;
    use crate::catalogue::Catalogue;

    fn means(call: &str) -> String {
        let record = r#"{"us":9000000,"pid":7,"voice":"worker 1","text":"hello"}"#;
        let cast = merge(record, Vec::new()).cast;
        meaning(&parse(&format!("1 1.000000 {call}"), 0)[0], &cast)
    }

    #[test]
    fn every_call_that_a_lab_traces_is_explained_by_its_name_alone() {
        let Ok(catalogue) = Catalogue::open() else { panic!("the catalogue opens") };
        for lab in catalogue.labs {
            for call in &lab.trace {
                assert!(plain::meaning(call).is_some(), "{}: {call} has no row in trace/plain.rs", lab.name);
            }
        }
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
                "not here, the next PATH entry is tried",
            ),
            ("pidfd_send_signal(3<pid:7>, SIGTERM, NULL, 0) = 0", "sends SIGTERM to worker 1"),
            ("kill(-12, SIGKILL) = 0", "sends SIGKILL to the whole process group 12"),
            (
                "waitid(P_PIDFD, 3<pid:7>, {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=7, si_uid=0, si_status=SIGTERM}, WEXITED, NULL) = 0",
                "learns that worker 1 ended by SIGTERM",
            ),
            ("wait4(7, 0x7fff, WNOHANG, NULL) = 0", "still running"),
            (
                "sendmsg(5<UNIX-STREAM:[1->2]>, {msg_iov=[{iov_base=\"x\", iov_len=1}], msg_control=[{cmsg_len=24, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[4<TCP:[1]>]}], msg_flags=0}, 0) = 1",
                "1 byte, and with them what descriptor 4 refers to",
            ),
            (
                r#"bind(9<TCP:[1]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 EADDRINUSE (Address already in use)"#,
                "somebody holds that address already",
            ),
            ("pipe2([3<pipe:[1]>, 4<pipe:[1]>], O_CLOEXEC) = 0", "a pipe: what is written to 4 is read from 3"),
            ("read(3<pipe:[1]>, \"\", 65536) = 0", "the end: nobody is left who could write"),
        ] {
            assert_eq!(means(call), words, "{call}");
        }
    }
}
