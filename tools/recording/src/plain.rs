//! The words for calls whose arguments tell nothing here, by their names alone.

/// Says what the call `name` does.
pub(crate) fn meaning(name: &str) -> Option<&'static str> {
    let row = CALLS.binary_search_by_key(&name, |(call, _)| call).ok()?;
    Some(CALLS[row].1)
}

/// By name, in alphabetical order.
const CALLS: &[(&str, &str)] = &[
    ("accept", "takes the next connection"),
    ("accept4", "takes the next connection"),
    ("bind", "takes an address"),
    ("chdir", "changes the working directory"),
    ("clone", "a new process or thread"),
    ("clone3", "a new process or thread"),
    ("close", "lets go of a descriptor"),
    ("close_range", "closes a whole range of descriptors"),
    ("connect", "connects to an address"),
    ("dup", "a second number for the same open file"),
    ("dup2", "a second number for the same open file, at a chosen place"),
    ("dup3", "a second number for the same open file, at a chosen place"),
    ("epoll_create1", "a place to watch many descriptors at once"),
    ("epoll_ctl", "says which descriptors are watched"),
    ("epoll_pwait", "waits until a watched descriptor is ready"),
    ("epoll_wait", "waits until a watched descriptor is ready"),
    ("eventfd2", "a counter to wake others with"),
    ("execve", "this process becomes another program"),
    ("execveat", "this process becomes another program"),
    ("exit", "this thread ends"),
    ("exit_group", "this process ends, with all its threads"),
    ("fcntl", "asks or sets a property of a descriptor"),
    ("flock", "takes or frees a lock on the file"),
    ("fork", "a new process with a copy of our memory"),
    ("futex", "waits for another thread, or wakes it"),
    ("getpeername", "who is at the other end?"),
    ("getsockname", "which address was taken?"),
    ("getsockopt", "how is the socket set up?"),
    ("io_uring_setup", "a queue for calls without calling"),
    ("ioctl", "asks or sets a property of a device"),
    ("kill", "sends a signal"),
    ("listen", "connections may come from now on"),
    ("memfd_create", "a file that is only in memory"),
    ("mmap", "maps memory or a file"),
    ("open", "opens a file"),
    ("openat", "opens a file"),
    ("pause", "sleeps until a signal comes"),
    ("pidfd_getfd", "a copy of another process's descriptor"),
    ("pidfd_open", "a descriptor that stands for a process"),
    ("pidfd_send_signal", "sends a signal"),
    ("pipe", "a pipe: one end to read, one to write"),
    ("pipe2", "a pipe: one end to read, one to write"),
    ("poll", "waits until a descriptor is ready"),
    ("ppoll", "waits until a descriptor is ready"),
    ("prctl", "sets a property of this process"),
    ("pread64", "reads at a place in the file"),
    ("prlimit64", "asks or sets a limit"),
    ("pwrite64", "writes at a place in the file"),
    ("read", "reads"),
    ("readv", "reads into several places"),
    ("recvfrom", "receives"),
    ("recvmsg", "receives bytes, and descriptors sent with them"),
    ("rt_sigaction", "says what a signal shall do"),
    ("rt_sigprocmask", "says which signals have to wait"),
    ("sendfile", "copies from file to socket inside the kernel"),
    ("sendmsg", "sends bytes, and descriptors with them"),
    ("sendto", "sends"),
    ("setgid", "becomes another group"),
    ("setgroups", "sets the further groups"),
    ("setpgid", "changes the process group"),
    ("setrlimit", "sets a limit"),
    ("setsid", "a new session, without a terminal"),
    ("setsockopt", "sets up the socket"),
    ("setuid", "becomes another user"),
    ("shutdown", "says that no more will be sent or read"),
    ("signalfd4", "signals as something to read"),
    ("socket", "a socket, not yet joined to anything"),
    ("socketpair", "two sockets joined back to back"),
    ("splice", "moves bytes between descriptors inside the kernel"),
    ("tgkill", "sends a signal to one thread"),
    ("timerfd_create", "a timer as something to read"),
    ("timerfd_settime", "sets a timer"),
    ("unlink", "removes a file's name"),
    ("unlinkat", "removes a file's name"),
    ("vfork", "a new process that borrows our memory until it execs"),
    ("wait4", "waits for a child to end"),
    ("waitid", "waits for a child to end"),
    ("write", "writes"),
    ("writev", "writes from several places"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_each_row_short() {
        assert!(CALLS.is_sorted_by(|a, b| a.0 < b.0));
        for (call, words) in CALLS {
            assert!(words.len() <= 60, "{call}: {words}");
            assert_eq!(meaning(call), Some(*words));
        }
        assert_eq!(meaning("nosuch"), None);
    }
}
