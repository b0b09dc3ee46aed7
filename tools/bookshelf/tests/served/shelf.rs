//! A clone with a small book and labs made for tests, and `cargo book` in it: it looks where `CARGO_MANIFEST_DIR` says that it is.

use std::fs;
use std::process::Command;

use harness::root;
use harness::started::RunningProgram;
use harness::workspace::Workspace;
use nix::sys::signal::Signal;

use super::{Response, ask, copy};

/// Says two facts.
const QUICK: &str = r#"
fn main() {
    let pid = std::process::id();
    println!("{{\"us\":1,\"pid\":{pid},\"step\":1,\"title\":\"Quick\"}}");
    println!("{{\"us\":2,\"pid\":{pid},\"arrow\":\"message\",\"from\":\"parent\",\"to\":\"child\",\"text\":\"<b>hello</b>\"}}");
    println!("{{\"us\":3,\"pid\":{pid},\"fact\":\"colour\",\"value\":\"green\"}}");
    println!("{{\"us\":4,\"pid\":{pid},\"fact\":\"size\",\"value\":\"5\"}}");
}
"#;

/// A run of the first one: its second fact is another one.
pub(crate) const RECORDED: &str = r#"{"format":1,"lab":"90-quick","language":"rust","versions":{"linux":"6.18"}}
{"us":1,"pid":1,"step":1,"title":"Quick"}
{"us":2,"pid":1,"arrow":"message","from":"parent","to":"child","text":"hello"}
{"us":3,"pid":1,"fact":"colour","value":"green"}
{"us":4,"pid":1,"fact":"size","value":"4"}
"#;

/// Does not end by itself, nor by SIGTERM, and neither does what it starts: a child, and one in a session of its own, whose parent has
/// ended. It says the pids of all of them.
const FOREVER: &str = r#"
use std::process::{Command, Stdio};

const SCRIPT: &str = "
    trap '' TERM INT HUP
    sleep 1000 &
    child=$!
    orphan=$(setsid sh -c 'sleep 1000 >/dev/null & echo $!')
    printf '{\"us\":1,\"pid\":%s,\"step\":1,\"title\":\"For ever\"}\\n' $$
    printf '{\"us\":2,\"pid\":%s,\"voice\":\"parent\",\"text\":\"pids %s %s %s\"}\\n' $$ $$ $child $orphan
    while :; do wait; done
";

fn main() {
    use std::os::unix::process::CommandExt;
    panic!("{}", Command::new("sh").args(["-c", SCRIPT]).stdin(Stdio::null()).exec());
}
"#;

const FAILING: &str = r#"
fn main() {
    eprintln!("it is not my day");
    std::process::exit(7);
}
"#;

/// The labs `90-quick` (its second fact is not the book's), `91-forever`, `92-broken` (does not compile) and `93-failing`, and a chapter
/// for the first two.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) workspace: Workspace,
}

impl Shelf {
    pub(crate) fn new() -> Shelf {
        let labs = [
            ("90-quick", QUICK),
            ("91-forever", FOREVER),
            ("92-broken", "fn main() { this is not Rust }\n"),
            ("93-failing", FAILING),
        ];
        let workspace = Workspace::new(&labs);
        workspace.write("src/lib.rs", "");
        copy(&root().join("book/theme"), &workspace.path("book/theme"));
        fs::copy(root().join("book/book.toml"), workspace.path("book/book.toml")).expect("a file");
        for (name, _) in labs {
            workspace.write(&format!("book/recorded/{name}.rust.jsonl"), RECORDED);
        }
        let chapter = |name: &str| {
            format!("# {name}\n\n{{{{#lab}}}}\n\n{{{{#prediction}}}}\n\n{{{{#output}}}}\n\n{{{{#diagram}}}}\n")
        };
        workspace.write(
            "book/src/SUMMARY.md",
            "[Introduction](introduction.md)\n\n- [Quick](labs/90-quick.md)\n- [For ever](labs/91-forever.md)\n",
        );
        workspace.write("book/src/introduction.md", "# Introduction\n\nThe first words.\n");
        workspace.write("book/src/labs/90-quick.md", &chapter("Quick"));
        workspace.write("book/src/labs/91-forever.md", &chapter("For ever"));
        Shelf { workspace }
    }

    /// `cargo book` in this clone.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.workspace.tool("bookshelf");
        command.args(arguments).arg("--no-open");
        command
    }

    /// The served book of this clone, on a free port.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Served {
        Served::start(self.command(&[&["--port", "0"], arguments].concat()))
    }
}

/// A running `cargo book`.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) process: RunningProgram,
    pub(crate) port: u16,
}

impl Served {
    pub(crate) fn start(command: Command) -> Served {
        let process = RunningProgram::new(command);
        let rest = process.wait_for_output_after("The book is at http://127.0.0.1:");
        let port = rest.split('/').next().and_then(|port| port.parse().ok());
        Served { process, port: port.unwrap_or_else(|| panic!("no port in {rest:?}")) }
    }

    /// Ends it as Ctrl-C does; all must be well.
    pub(crate) fn stop(self) {
        self.process.signal_group(Signal::SIGINT);
        let (status, _, mark) = self.process.end();
        assert_eq!(status.code(), Some(0), "it was told to end, and did: {status}");
        assert_eq!(mark.leftovers(), [""; 0]);
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A page, as a browser asks for it.
    pub(crate) fn get(&self, target: &str) -> Response {
        ask(self.port, "GET", target, &[("Host", &self.host())])
    }

    /// What a script of one of the pages asks for.
    pub(crate) fn post(&self, target: &str) -> Response {
        let origin = format!("http://{}", self.host());
        ask(self.port, "POST", target, &[("Host", &self.host()), ("Origin", &origin), ("Content-Length", "0")])
    }
}
