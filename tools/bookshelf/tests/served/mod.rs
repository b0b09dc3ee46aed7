//! A served book for tests, and requests to it as they are on the wire.
#![allow(dead_code)] // each test program uses its own part

pub(crate) mod shelf;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Instant;

use harness::DEADLINE;
use serde_json::Value;

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Names in small letters.
    headers: Vec<(String, String)>,
    body: BufReader<TcpStream>,
}

/// Sends a request as it is written here, whatever it asks for. It is one of HTTP/1.0, whose answers end when the connection does.
pub(crate) fn ask(port: u16, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).expect("the server is there");
    connection.set_read_timeout(Some(DEADLINE)).expect("a socket");
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(connection, "{method} {target} HTTP/1.0\r\n{headers}\r\n").expect("it can be sent");
    let mut body = BufReader::new(connection);
    let mut line = || {
        let mut line = String::new();
        body.read_line(&mut line).expect("a line of the answer's head");
        line.trim_end().to_owned()
    };
    let status = line().split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
    let lines = std::iter::from_fn(|| Some(line()).filter(|line| !line.is_empty()));
    let headers = lines.filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_lowercase(), value.to_owned()))
    });
    let headers = headers.collect();
    Response { status, headers, body }
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    /// All of the body.
    pub(crate) fn text(mut self) -> String {
        let mut text = String::new();
        self.body.read_to_string(&mut text).expect("the body, as text");
        text
    }

    /// The next line of the body; none at its end.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.body.read_line(&mut line).expect("a line of the body");
        (length > 0).then(|| line.trim_end().to_owned())
    }

    /// The next of the words that a run sends.
    pub(crate) fn word(&mut self) -> Option<Value> {
        self.line().map(|line| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}")))
    }

    /// Reads until a process of the lab has said something that begins with `start`, and gives the rest of it.
    pub(crate) fn said(&mut self, start: &str) -> String {
        while let Some(word) = self.word() {
            let text = word["record"]["text"].as_str().and_then(|text| text.strip_prefix(start));
            if let Some(rest) = text {
                return rest.to_owned();
            }
            assert!(word["end"].is_null(), "it ended before it said {start:?}: {word}");
        }
        panic!("it never said {start:?}");
    }

    /// Reads to the end of a run, and gives the last word.
    pub(crate) fn end(&mut self) -> Value {
        while let Some(word) = self.word() {
            if !word["end"].is_null() {
                assert!(self.word().is_none(), "the end is the last word");
                return word["end"].clone();
            }
        }
        panic!("it never said how it ended");
    }
}

/// Waits until none of these processes is there any more. A zombie is none.
pub(crate) fn wait_until_gone(pids: &str) {
    let start = Instant::now();
    let is_alive = |pid: &&str| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| !matches!(rest.trim_start().chars().next(), None | Some('Z' | 'X')))
    };
    loop {
        let alive: Vec<&str> = pids.split_whitespace().filter(is_alive).collect();
        if alive.is_empty() {
            return;
        }
        assert!(start.elapsed() < DEADLINE, "still there: {alive:?}");
        std::thread::yield_now();
    }
}

/// Copies a folder and all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let (from, to): (PathBuf, PathBuf) =
            entry.map(|entry| (entry.path(), to.join(entry.file_name()))).expect("an entry");
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a file");
        }
    }
}
