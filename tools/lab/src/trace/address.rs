//! Addresses, signals and endings as people write them, out of strace's structures.

/// What stands between `before` and the next `,`, `)`, `}` or `]`.
pub(super) fn field<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    Some(rest[..rest.find([',', ')', '}', ']']).unwrap_or(rest.len())].trim())
}

/// `127.0.0.1:8000`, `[::1]:8000`, `/run/socket`, `@abstract` of a socket address; "an address" if it is none of these.
pub(super) fn address(text: &str) -> String {
    let port = field(text, "htons(").unwrap_or("?");
    let quoted = |before| field(text, before).map(|text| text.trim_matches('"'));
    if let Some(path) = quoted("sun_path=") {
        return path.replace("@\"", "@").trim_end_matches('"').to_owned();
    }
    match (quoted("inet_addr("), quoted("inet_pton(AF_INET6, ")) {
        (Some(host), _) => format!("{host}:{port}"),
        (_, Some(host)) => format!("[{host}]:{port}"),
        _ => "an address".to_owned(),
    }
}

/// How a child ended, of the structure that `waitid` or `wait4` filled in: "with code 3", "by SIGTERM".
pub(super) fn ending(text: &str) -> Option<String> {
    if let Some(code) = field(text, "WEXITSTATUS(s) == ") {
        return Some(format!("with code {code}"));
    }
    if let Some(signal) = field(text, "WTERMSIG(s) == ") {
        return Some(format!("by {}", signal.split(' ').next().unwrap_or(signal)));
    }
    let status = field(text, "si_status=")?;
    let how = if field(text, "si_code=") == Some("CLD_EXITED") { "with code" } else { "by" };
    Some(format!("{how} {status}"))
}

/// The numbers in a list of descriptors: `[3, 4]`.
pub(super) fn pair(text: &str) -> Option<(&str, &str)> {
    text.trim_start_matches('[').trim_end_matches(']').split_once(", ")
}

/// The kind of thing that a descriptor refers to, by strace's note.
pub(super) fn kind(note: &str) -> &'static str {
    match note {
        _ if note.starts_with("pipe:") => "a pipe",
        _ if note.starts_with("UNIX") => "a local socket",
        _ if note.starts_with("TCP") => "a TCP socket",
        _ if note.starts_with("UDP") => "a UDP socket",
        _ if note.starts_with("pid:") || note.contains("pidfd") => "a process",
        _ if note.contains("eventpoll") => "an epoll instance",
        _ if note.contains("signalfd") => "a signalfd",
        _ if note.contains("timerfd") => "a timer",
        _ if note.starts_with("/dev/pts/") || note.starts_with("/dev/tty") => "the terminal",
        _ if note.starts_with("/dev/null") => "/dev/null",
        _ if note.starts_with('/') => "a file",
        _ => "what it refers to",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_become_words() {
        assert_eq!(
            address(r#"{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}"#),
            "127.0.0.1:80"
        );
        let six =
            r#"{sa_family=AF_INET6, sin6_port=htons(80), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}"#;
        assert_eq!(address(six), "[::1]:80");
        assert_eq!(address(r#"{sa_family=AF_UNIX, sun_path=@"forklore"}"#), "@forklore");
        assert_eq!(ending("[{WIFEXITED(s) && WEXITSTATUS(s) == 3}]").as_deref(), Some("with code 3"));
        assert_eq!(ending("[{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}]").as_deref(), Some("by SIGKILL"));
        assert_eq!(
            ending("{si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=1, si_uid=0, si_status=SIGTERM}").as_deref(),
            Some("by SIGTERM")
        );
        assert_eq!(pair("[3, 4]"), Some(("3", "4")));
    }
}
