//! Addresses, endings and kinds as people write them, out of strace's structures.

/// Returns what stands between `before` and the next `,`, `)`, `}` or `]`.
pub(crate) fn field<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    Some(rest[..rest.find([',', ')', '}', ']']).unwrap_or(rest.len())].trim())
}

/// Writes a socket address as `127.0.0.1:8000`, `[::1]:8000`, `/run/socket` or `@abstract`. `None`: it is none of these.
pub(crate) fn address(text: &str) -> Option<String> {
    let port = field(text, "htons(").unwrap_or("?");
    let quoted = |before| field(text, before).map(|text| text.trim_matches('"'));
    if let Some(path) = quoted("sun_path=") {
        return Some(path.replace("@\"", "@").trim_end_matches('"').to_owned());
    }
    let six = quoted("inet_pton(AF_INET6, ").map(|host| format!("[{host}]:{port}"));
    quoted("inet_addr(").map(|host| format!("{host}:{port}")).or(six)
}

/// Says how a child ended, of the structure that `waitid` or `wait4` filled in: `with code 3`, `by SIGTERM`.
pub(crate) fn ending(text: &str) -> Option<String> {
    if let Some(code) = field(text, "WEXITSTATUS(s) == ") {
        return Some(format!("with code {code}"));
    }
    if let Some(signal) = field(text, "WTERMSIG(s) == ") {
        return Some(format!("by {}", signal.split(' ').next().unwrap_or(signal)));
    }
    let status = field(text, "si_status=")?;
    match field(text, "si_code=")? {
        "CLD_EXITED" => Some(format!("with code {status}")),
        "CLD_KILLED" | "CLD_DUMPED" => Some(format!("by {status}")),
        _ => None,
    }
}

/// Returns the numbers in a list of two descriptors: `[3, 4]`.
pub(crate) fn pair(text: &str) -> Option<(&str, &str)> {
    text.trim_start_matches('[').trim_end_matches(']').split_once(", ")
}

/// Returns the two ends of a connection, the own one first: `UNIX-STREAM:[7->8]`, `TCP:[127.0.0.1:1->127.0.0.1:2]`.
pub(crate) fn ends(is: &str) -> Option<(&str, &str)> {
    let (kind, ends) = is.split_once(":[")?;
    let (near, far) = ends.strip_suffix(']')?.split_once("->")?;
    let far = if kind.starts_with("UNIX") { far.split(',').next()? } else { far };
    Some((near, far))
}

/// Says what kind of thing a descriptor refers to.
pub(crate) fn kind(is: &str) -> &'static str {
    match is {
        _ if is.starts_with("pipe:") => "a pipe",
        _ if is.starts_with("UNIX") => "a local socket",
        _ if is.starts_with("TCP") => "a TCP socket",
        _ if is.starts_with("UDP") => "a UDP socket",
        _ if is.starts_with("pid:") || is.contains("pidfd") => "a process",
        _ if is.contains("eventpoll") => "an epoll instance",
        _ if is.contains("signalfd") => "a signalfd",
        _ if is.contains("timerfd") => "a timer",
        _ if is.starts_with("/dev/pts/") || is.starts_with("/dev/tty") => "the terminal",
        _ if is.starts_with("/dev/null") => "/dev/null",
        _ if is.starts_with('/') => "a file",
        _ => "what it refers to",
    }
}

/// Says what a descriptor refers to, with its addresses: `TCP 127.0.0.1:80`. `None`: the kind says all.
pub(crate) fn addressed(is: &str) -> Option<String> {
    let (kind, address) = is.split_once(":[")?;
    let address = address.strip_suffix(']')?;
    let protocol = kind.strip_suffix("v6").unwrap_or(kind);
    let known = ["TCP", "UDP"].contains(&protocol) && address.contains(':');
    known.then(|| format!("{protocol} {}", address.replace("->", " → ")))
}

/// Writes a number with its digits in groups of three.
pub fn grouped(number: u64) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_become_words() {
        for (text, written) in [
            (r#"{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}"#, "127.0.0.1:80"),
            (
                r#"{sa_family=AF_INET6, sin6_port=htons(80), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}"#,
                "[::1]:80",
            ),
            (r#"{sa_family=AF_UNIX, sun_path=@"forklore"}"#, "@forklore"),
        ] {
            assert_eq!(address(text).as_deref(), Some(written));
        }
        assert_eq!(ending("[{WIFEXITED(s) && WEXITSTATUS(s) == 3}]").as_deref(), Some("with code 3"));
        assert_eq!(ending("[{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}]").as_deref(), Some("by SIGKILL"));
        let structure = "{si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=1, si_uid=0, si_status=SIGTERM}";
        assert_eq!(ending(structure).as_deref(), Some("by SIGTERM"));
        assert_eq!(ending(&structure.replace("KILLED", "STOPPED")), None);
        assert_eq!(pair("[3, 4]"), Some(("3", "4")));
        assert_eq!(ends(r#"UNIX-STREAM:[7->8,"/run/x"]"#), Some(("7", "8")));
        assert_eq!(ends("TCP:[127.0.0.1:80]"), None);
        assert_eq!(addressed("TCP:[127.0.0.1:1->127.0.0.1:2]").as_deref(), Some("TCP 127.0.0.1:1 → 127.0.0.1:2"));
        assert_eq!((addressed("TCP:[77]"), addressed("pipe:[77]")), (None, None));
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
