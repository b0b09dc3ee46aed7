//! `cargo book` from the outside: what it serves, whom it refuses, what it runs, and that it leaves nothing behind.

mod refused;
mod running;
#[path = "../served/mod.rs"]
mod served;

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use assert_cmd::prelude::*;
use harness::trial;
use libtest_mimic::Trial;
use predicates::prelude::*;
use predicates::str::contains;
use served::ask;
use served::shelf::{RECORDED, Served, Shelf};

fn main() -> ExitCode {
    let shelf: Arc<OnceLock<Shelf>> = Arc::default();
    // Made by the first test that needs it, and taken down here, when all of them have ended.
    let on_shelf = |name: &str, test: fn(&Shelf)| -> Trial {
        let shelf = Arc::clone(&shelf);
        trial(name, &[], move || test(shelf.get_or_init(Shelf::new)))
    };
    harness::conclude(vec![
        on_shelf("pages are served, each with its policy", pages),
        on_shelf("a book that is only built cannot run labs", only_built),
        on_shelf("only this machine is listened to", loopback),
        on_shelf("a wrong Host is refused", refused::wrong_host),
        on_shelf("another origin is refused", refused::other_origin),
        on_shelf("a path outside the book is refused", refused::outside),
        on_shelf("only labs can be run, by their two digits", refused::only_labs),
        on_shelf("a run is streamed, with its facts and its diagram", running::run),
        on_shelf("a lab that fails shows its errors and its exit code", running::failing),
        on_shelf("a lab that does not compile shows the compiler's words", running::broken),
        on_shelf("one lab runs at a time", running::one_at_a_time),
        on_shelf("a run can be cancelled, and nothing of it is left", running::cancelled),
        on_shelf("a run ends when its page goes away, and nothing of it is left", running::page_gone),
        on_shelf("a run ends when its time is up, and nothing of it is left", running::time_is_up),
        on_shelf("Ctrl-C ends a running lab too, and is an end in good order", running::interrupted),
        on_shelf("a killed server leaves no lab behind", running::killed),
        on_shelf("a taken default port is replaced by a free one", default_port_taken),
        on_shelf("a taken port that was asked for is exit code 1 and a sentence", port_taken),
        trial("the book is built again on change, and a fault leaves the pages as they were", &[], rebuilt),
    ])
}

fn pages(shelf: &Shelf) {
    let served = shelf.serve(&[]);
    for target in ["/", "/introduction.html", "/labs/90-quick.html"] {
        let page = served.get(target);
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{target}");
        let policy = page.header("content-security-policy").to_owned();
        assert!(policy.starts_with("default-src 'self'; script-src 'self' 'sha256-"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(page.header(name), value);
        }
        let tag = page.header("etag").to_owned();
        let again = ask(served.port, "GET", target, &[("Host", &served.host()), ("If-None-Match", &tag)]);
        assert_eq!((again.status, again.text().as_str()), (304, ""), "the browser has it");
        let runs = page.text().contains("<meta name=\"forklore-run\" content=\"90\">");
        assert_eq!(runs, target.contains("90"), "{target}");
    }
    assert_eq!(served.get("/run.js").header("content-type"), "text/javascript; charset=utf-8");
    let head = ask(served.port, "HEAD", "/", &[("Host", &served.host())]);
    assert_eq!((head.status, head.text().as_str()), (200, ""));
    let missing = served.get("/nosuch.html");
    assert_eq!(missing.status, 404);
    served.stop();
}

fn only_built(shelf: &Shelf) {
    let out = tempfile::tempdir().expect("a folder");
    shelf.workspace.tool("bookshelf").arg("build").arg("--out").arg(out.path()).assert().success();
    let page = fs::read_to_string(out.path().join("labs/90-quick.html")).expect("a page");
    assert!(page.contains("class=\"run-here\" hidden"), "the place for the button is there, and not seen");
    assert!(
        !page.contains("forklore-run") && !page.contains("run.js") && !page.contains("theme/run"),
        "and nothing to fill it"
    );
    assert!(!out.path().join("run.js").exists());
}

fn loopback(shelf: &Shelf) {
    let served = shelf.serve(&[]);
    // All of 127.0.0.0/8 is this machine, but no address besides the one it was bound to.
    assert!(TcpStream::connect((Ipv4Addr::new(127, 0, 0, 2), served.port)).is_err());
    served.stop();
}

fn default_port_taken(shelf: &Shelf) {
    // Whoever has it: it is taken.
    let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 3000));
    let served = Served::start(shelf.command(&[]));
    assert_ne!(served.port, 3000);
    served.process.wait_for("book: port 3000 is taken (EADDRINUSE), a free one is used instead");
    assert_eq!(served.get("/").status, 200);
    served.stop();
}

fn port_taken(shelf: &Shelf) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let sentence = contains(format!("127.0.0.1:{port}")).and(contains("in use")).and(contains("\n").count(1));
    shelf.command(&["--port", &port]).assert().code(1).stderr(sentence);
}

fn rebuilt() {
    let shelf = Shelf::new();
    let served = shelf.serve(&[]);
    let mut changes = served.get("/changes");
    assert_eq!(changes.header("content-type"), "text/event-stream");
    let first = changes.line().expect("which build this is");
    let own = first.strip_prefix("data: ").map(|tag| format!("data-build=\"{tag}\"")).expect("an event");
    assert!(served.get("/introduction.html").text().contains(&own), "a page knows of which build it is");
    assert_eq!(changes.line().as_deref(), Some(""));
    shelf.workspace.write("book/src/introduction.md", "# Introduction\n\nOther words.\n");
    let second = changes.line().expect("which build this is");
    assert_ne!(first, second, "pages know by it that they are old");
    assert!(served.get("/introduction.html").text().contains("Other words."));

    shelf.workspace.write("book/src/introduction.md", "# Introduction\n\n{{#nosuch}}\n");
    served.process.wait_for_end("; the pages stay as they were");
    assert!(served.get("/introduction.html").text().contains("Other words."));
    // What was recorded of a lab is a source of the book, too.
    shelf.workspace.write("book/src/introduction.md", "# Introduction\n\nWords again.\n");
    shelf.workspace.write("book/recorded/90-quick.rust.jsonl", &RECORDED.replace("green", "red"));
    while !served.get("/labs/90-quick.html").text().contains(">red<") {
        changes.line().expect("which build this is");
    }
    served.stop();
}
