//! What labs take beyond `--json`: lab 17 runs anybody's program.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use assert_cmd::prelude::*;
use harness::started::RunningProgram;
use harness::{program, root, trial};
use libtest_mimic::Trial;
use nix::sys::signal::Signal;
use predicates::prelude::*;
use predicates::str::{contains, starts_with};

fn main() -> ExitCode {
    let trials: Vec<Trial> = vec![
        trial("lab 17 says in one sentence what is wrong with its arguments", &[], wrong_arguments),
        trial("lab 17 without node is one sentence and exit code 3", &[], without_node),
        trial("lab 17 explains its options", &[], help),
        trial("lab 17 runs a program and replaces its workers, until Ctrl-C", &["node"], hosted),
        trial("lab 17 kills at the second Ctrl-C who does not end", &["node"], killed),
        trial("lab 17 gives up a program whose workers die", &["node"], given_up),
    ];
    harness::conclude(trials)
}

/// A server over TCP. It writes its port to the file that it is told, answers what it is sent, and dies of "die".
const APP: &str = r#"
const server = require('node:net').createServer((connection) => {
  connection.on('data', (said) => {
    if (String(said) === 'die') process.kill(process.pid, 'SIGKILL');
    connection.write(said);
  });
});
server.listen(0, '127.0.0.1', () => {
  require('node:fs').writeFileSync(process.argv[2], String(server.address().port));
  console.log('ready');
});
"#;

struct App {
    folder: tempfile::TempDir,
}

impl App {
    fn new(script: &str) -> App {
        let app = App { folder: tempfile::tempdir().expect("a folder") };
        fs::write(app.script(), script).expect("a file");
        app
    }

    fn script(&self) -> PathBuf {
        self.folder.path().join("app.js")
    }

    /// Started with one worker, which is ready.
    fn start(&self) -> RunningProgram {
        let mut command = lab(&[]);
        command.arg(self.script()).args(["--workers", "1", "--port-report", "--"]).arg(self.folder.path().join("port"));
        let started = RunningProgram::new(command);
        started.wait_for_output("ready");
        started
    }

    fn connect(&self) -> TcpStream {
        let port = fs::read_to_string(self.folder.path().join("port")).expect("it has written its port");
        TcpStream::connect(format!("127.0.0.1:{port}")).expect("it listens")
    }

    /// A connection that a worker has taken, and answered on.
    fn talk(&self) -> TcpStream {
        let mut connection = self.connect();
        let mut answer = [0; 5];
        connection.write_all(b"hello").expect("sent");
        connection.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"hello");
        connection
    }
}

/// Lab 17 itself: `cargo lab` may first say what it compiles.
fn lab(arguments: &[&str]) -> Command {
    let mut command = Command::new(program("lab-17-node-cluster"));
    command.args(arguments);
    command
}

fn wrong_arguments() {
    let directory = root().to_str().expect("UTF-8");
    let manifest = &format!("{directory}/Cargo.toml");
    for (arguments, words) in [
        (&["nosuch.js"][..], "no such file"),
        (&[directory], "that is no file"),
        (&[manifest, "--workers", "many"], "that is no number from 1 on"),
        (&[manifest, "--window", "0"], "that is no number from 1 on"),
        (&[manifest, "--policy", "random"], "round-robin (rr), shared (none), weighted, least-connections, sticky"),
        (&["--port-report"], "<APP>"),
        (&["--nosuch"], "--nosuch"),
    ] {
        let sentence = starts_with("lab-17-node-cluster: ").and(contains(words)).and(contains("\n").count(1));
        lab(arguments).assert().code(2).stdout("").stderr(sentence);
    }
}

fn without_node() {
    for app in [None, Some(App::new(APP))] {
        let sentence = contains("node is not installed: apt-get install").and(contains("\n").count(1));
        let mut command = lab(&[]);
        command.args(app.as_ref().map(App::script)).env("PATH", "/nowhere").env_remove("FORKLORE_NODE");
        command.assert().code(3).stderr(sentence);
    }
}

fn help() {
    let help = lab(&["--help"]).assert().success();
    let parts = ["--workers", "--policy", "--port-report", "--window", "--answer-limit", "Examples:", "Exit codes:"];
    parts.into_iter().fold(help, |help, part| help.stdout(contains(part)));
}

fn hosted() {
    let app = App::new(APP);
    let started = app.start();
    drop(app.talk());
    app.connect().write_all(b"die").expect("sent");
    started.wait_for_output("   worker 1  ──exit──▶ primary  SIGKILL");
    started.wait_for_output("ready");
    drop(app.talk());
    started.signal_group(Signal::SIGINT);
    let (status, stdout, mark) = started.end();
    assert_eq!(status.code(), Some(0), "{stdout}");
    for line in ["worker 1: given 2, taken 2", "worker 2: given 1, taken 1", "worker 2  ──exit──▶ primary  code 0"]
    {
        assert!(stdout.contains(line), "{line}: {stdout}");
    }
    assert!(stdout.contains("asked for 127.0.0.1:0, the kernel has 127.0.0.1:"), "{stdout}");
    assert_eq!(mark.leftovers(), [""; 0]);
}

fn killed() {
    let app = App::new(APP);
    let started = app.start();
    let connection = app.talk();
    started.signal_group(Signal::SIGINT);
    started.wait_for_output("2. SIGINT: no new connections, what has begun is finished");
    started.signal_group(Signal::SIGINT);
    let (status, stdout, mark) = started.end();
    drop(connection);
    assert_eq!(status.code(), Some(0), "{stdout}");
    assert!(stdout.contains("SIGINT once more: SIGKILL to those that are left"), "{stdout}");
    assert_eq!(mark.leftovers(), [""; 0]);
}

fn given_up() {
    let app = App::new("process.exit(7)");
    let script = app.script().display().to_string();
    let sentence = format!("lab-17-node-cluster: 5 workers of {script} died within 10 s, the last one: code 7\n");
    lab(&[&script, "--workers", "2"]).assert().code(1).stderr(sentence);
}
