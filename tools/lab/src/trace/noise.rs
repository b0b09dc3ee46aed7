//! Which calls are not the lesson.

use transcript::Seat;

use super::call::Call;

/// Files that only the dynamic loader, the C library and Rust's runtime look at.
const RUNTIME_FILES: [&str; 8] = [
    ".so",
    "/etc/ld.so",
    "/etc/locale",
    "/locale/",
    "/gconv/",
    "/etc/nsswitch.conf",
    "/sys/fs/cgroup/",
    "/etc/localtime",
];

/// Whether a call has nothing to do with the lesson:
///
/// 1. it writes a line of the transcript, or handles the descriptor through which that is done;
/// 2. it belongs to the start of a program: the loader's and the runtime's files;
/// 3. it is the async runtime waking itself (its eventfd);
/// 4. it reads what the kernel says about a process, in `/proc`: that is how a lab measures, not what it does;
/// 5. it is an `fcntl` that copies no descriptor.
pub(super) fn is_noise(call: &Call) -> bool {
    of_the_transcript(call) || of_the_runtime(call) || (call.name == "fcntl" && !copies(call))
}

/// Whether a call only prepares another one, whose meaning tells of it: a copy that `dup2` puts in its place.
pub(super) fn is_preparation(call: &Call) -> bool {
    call.name == "fcntl" && copies(call)
}

fn copies(call: &Call) -> bool {
    call.text(1).starts_with("F_DUPFD")
}

fn of_the_transcript(call: &Call) -> bool {
    let seat = Seat::FD.to_string();
    match call.name.as_str() {
        "write" | "writev" => call.text(0) == seat || call.text(1).starts_with(r#""{\"us\":"#),
        "dup2" | "dup3" => call.text(1) == seat,
        _ => call.text(0) == seat,
    }
}

fn of_the_runtime(call: &Call) -> bool {
    let note = call.note(0);
    let opened = if call.name.starts_with("open") { call.text(1) } else { "" };
    let is_file = note.starts_with('/') || !opened.is_empty();
    let has = |part: &&str| note.contains(*part) || opened.contains(*part);
    let measures = note.starts_with("/proc/") || opened.starts_with("\"/proc/");
    (is_file && call.name != "execve" && RUNTIME_FILES.iter().any(has)) || measures || note == "anon_inode:[eventfd]"
}

#[cfg(test)]
mod tests {
    use super::super::strace::parse;
    use super::*;

    #[test]
    fn the_transcript_and_the_loader_are_noise_and_the_lesson_is_not() {
        let log = r#"
1 1.000000 write(3<pipe:[9]>, "{\"us\":926415229,\"pid\":3575,\"step\":1", 53) = 53
1 1.000000 dup2(3<pipe:[9]>, 99) = 99<pipe:[9]>
1 1.000000 fcntl(99<pipe:[9]>, F_DUPFD_CLOEXEC, 0) = 3<pipe:[9]>
1 1.000000 openat(AT_FDCWD</tmp>, "/usr/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY) = 3</usr/lib/x86_64-linux-gnu/libc.so.6>
1 1.000000 read(3</usr/lib/x86_64-linux-gnu/libc.so.6>, "\177ELF", 832) = 832
1 1.000000 write(5<anon_inode:[eventfd]>, "\1", 8) = 8
1 1.000000 write(4<pipe:[8]>, "hello.so", 8) = 8
1 1.000000 read(10</proc/22188/status>, "Name:", 32) = 5
1 1.000000 execve("/x/.sorted/a.so", ["a"], 0x7f /* 3 vars */) = 0
1 1.000000 read(0</tmp/input>, "x", 1) = 1
1 1.000000 fcntl(11<pipe:[8]>, F_SETFD, FD_CLOEXEC) = 0
1 1.000000 fcntl(11<pipe:[8]>, F_DUPFD_CLOEXEC, 100) = 100<pipe:[8]>
1 1.000000 fcntl(1<pipe:[8]>, F_DUPFD, 10) = 10<pipe:[8]>
"#;
        let calls = parse(log, 0).calls;
        let kept: Vec<bool> = calls.iter().map(|call| !is_noise(call)).collect();
        assert_eq!(kept, [false, false, false, false, false, false, true, false, true, true, false, true, true]);
        let shown = calls.iter().filter(|call| !is_noise(call) && !is_preparation(call));
        assert_eq!(shown.map(|call| call.name.as_str()).collect::<Vec<_>>(), ["write", "execve", "read"]);
    }
}
