//! "Run it here", and who may not.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use harness::root;

use super::driver::{REBOUND, Tab};
use super::reading::address;
use super::served::shelf::Served;
use super::served::wait_until_gone;

const CHAPTER: &str = "labs/04-eaddrinuse.html";

/// A lab that takes long enough to be cancelled.
const LONG: &str = "labs/10-scheduling.html";

/// The key with the arrow to the right, as WebDriver writes it.
const RIGHT: &str = "\u{e014}";

/// The panel's button with these words.
fn press(tab: &Tab, words: &str) {
    let found = tab.run(&format!(
        "const found = [...document.querySelectorAll('.run-here button')].find((button) => button.textContent === {words:?});
         found?.setAttribute('data-test', 'press');
         return Boolean(found);"
    ));
    assert_eq!(found, true, "a button {words:?}");
    tab.click(".run-here button[data-test=press]");
}

pub(crate) fn run(tab: &Tab, book: &Served) {
    tab.open(&address(book, CHAPTER));
    tab.until("document.querySelector('.run-here button')");
    press(tab, "Run it here");
    // The prediction comes first, and a run needs an answer or a wish to skip it.
    assert_eq!(tab.run("return document.querySelector('.run-here .run-button').disabled"), true);
    // The arrow keys choose, and do not turn the page as they do elsewhere in the book.
    tab.types(".run-question input", RIGHT);
    assert_eq!(tab.run("return document.querySelector('.run-question input:checked')?.value"), "2");
    tab.click(".run-here .run-question li:nth-child(1) label");
    press(tab, "Run");
    tab.until("document.querySelector('.run-here[data-state=done]')");
    let status = tab.text(".run-status");
    assert_eq!(status, "It ran to its end. Exit code 0.");

    let expected = fs::read_to_string(root().join("labs/04-eaddrinuse/expected.txt")).expect("expected.txt");
    let facts: Vec<&str> = expected.lines().skip_while(|line| *line != "Facts").skip(1).map(str::trim).collect();
    let shown = tab
        .run("return [...document.querySelectorAll('.run-stage .line.fact')].map((line) => line.textContent.trim())");
    assert_eq!(shown, serde_json::json!(facts));
    assert_eq!(tab.text(".run-facts"), format!("Facts equal to the book’s: yes, all {}.", facts.len()));
    let steps = tab.run("return document.querySelectorAll('.run-stage .line.title').length").as_u64();
    assert!(steps.is_some_and(|steps| steps >= 4));
    // The processes have the colours that they have in the book's own transcript.
    let colours = tab.run(
        "return ['.run-stage', '#transcript'].map((where) => [...document.querySelectorAll(`${where} .voice`)]
            .filter((voice) => voice.textContent.trim() === 'second').map((voice) => getComputedStyle(voice).color)[0])",
    );
    assert!(colours[0].is_string() && colours[0] == colours[1], "{colours}");

    let answer = tab.text(".run-answer");
    assert!(
        answer.starts_with("You said: the port: that is what the option is for. The answer is: EADDRINUSE."),
        "{answer}"
    );
    // The diagrams are those of this run, until the recorded ones are wanted again.
    tab.until("document.querySelector('figure.diagram[data-run=here] .drawing .sequence')");
    let words = || tab.run("return document.querySelector('figure.diagram .words ol').textContent");
    let here = words();
    press(tab, "Show the recorded run");
    tab.until("[...document.querySelectorAll('figure.diagram[data-language=rust]')].every((figure) => figure.dataset.run === 'recorded')");
    assert_ne!(words(), here, "pids and ports are this run's");
}

pub(crate) fn cancel(tab: &Tab, book: &Served) {
    tab.open(&address(book, LONG));
    tab.until("document.querySelector('.run-here button')");
    press(tab, "Run it here");
    press(tab, "Skip the question");
    let pids = started(tab);
    press(tab, "Cancel");
    tab.until("document.querySelector('.run-here[data-state=cancelled]')");
    let status = tab.text(".run-status");
    assert!(status.starts_with("Cancelled: it was ended, and everything that it had started. Exit code "), "{status}");
    wait_until_gone(&pids);
    // And it can be run again at once.
    press(tab, "Run it again");
    started(tab);
    press(tab, "Cancel");
    tab.until("document.querySelector('.run-here[data-state=cancelled]')");
}

pub(crate) fn left(tab: &Tab, book: &Served) {
    tab.open(&address(book, LONG));
    tab.until("document.querySelector('.run-here button')");
    press(tab, "Run it here");
    press(tab, "Skip the question");
    let pids = started(tab);
    tab.open("about:blank");
    wait_until_gone(&pids);
}

/// Waits until a lab has said something; the pids of all processes of labs that run from this test's server, which runs one at a time.
fn started(tab: &Tab) -> String {
    tab.until("document.querySelector('.run-stage .line:not(.title)')");
    let ours = std::process::id();
    let parent = |pid: u32| -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
    };
    let is_ours = |pid: u32| std::iter::successors(Some(pid), |pid| parent(*pid)).any(|above| above == ours);
    let is_lab = |pid: u32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("lab-"));
    let pids =
        fs::read_dir("/proc").expect("/proc").flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let found: Vec<String> = pids.filter(|pid| is_lab(*pid) && is_ours(*pid)).map(|pid| pid.to_string()).collect();
    assert!(!found.is_empty(), "a lab runs");
    found.join(" ")
}

/// A page of another origin that tries what a page can try, and shows what came of it.
fn elsewhere(target: &str) -> (u16, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let page = format!(
        "<!doctype html><title>elsewhere</title><script>
         const outcome = (promise) => promise.then(() => 'allowed', () => 'refused');
         const answers = [];
         const image = (src) => new Promise((resolve, reject) => Object.assign(new Image(), {{ src, onload: resolve, onerror: reject }}));
         const frame = (src) => new Promise((resolve) => document.documentElement.append(Object.assign(document.createElement('iframe'), {{ src, onload: resolve }})));
         (async () => {{
             answers.push(await outcome(fetch('{target}')));
             answers.push(await outcome(fetch('{target}run/04', {{ method: 'POST' }})));
             answers.push((await fetch('{target}run/04', {{ method: 'POST', mode: 'no-cors' }}).catch(() => ({{ type: 'refused' }}))).type);
             answers.push(await outcome(image('{target}favicon.png')));
             await frame('{target}');
             try {{ answers.push(frames[0].document.title); }} catch {{ answers.push('unreadable'); }}
             window.answers = answers;
         }})();
         </script>"
    );
    let server = thread::spawn(move || {
        let (mut connection, _) = listener.accept().expect("the browser");
        let mut request = [0; 4096];
        let _ = connection.read(&mut request).expect("a request");
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
        write!(connection, "{head}Content-Length: {}\r\n\r\n{page}", page.len()).expect("it is taken");
    });
    (port, server)
}

pub(crate) fn other_origin(tab: &Tab, book: &Served) {
    let (port, server) = elsewhere(&address(book, ""));
    tab.open(&format!("http://127.0.0.1:{port}/"));
    let answers = tab.until("window.answers");
    server.join().expect("it was asked");
    // A request without CORS goes out and its answer is opaque, or kept back: what counts is that nothing ran.
    assert_eq!(
        (&answers[0], &answers[1], &answers[3]),
        (&"refused".into(), &"refused".into(), &"refused".into()),
        "{answers}"
    );
    assert_eq!(answers[4], "unreadable", "{answers}");
    let mut run = book.post("/run/04");
    assert_eq!(run.status, 200, "no other run is on");
    assert_eq!(run.end()["code"], 0);
}

pub(crate) fn rebound(tab: &Tab, book: &Served) {
    tab.open(&format!("http://{REBOUND}:{}/", book.port));
    let text = tab.text("body");
    assert!(text.starts_with("The Host of this request is not the address"), "{text}");
    let run = tab.promised("fetch('/run/04', { method: 'POST' }).then((answer) => answer.status)");
    assert_eq!(run, 403, "not even from a page of its own origin");
}

pub(crate) fn outside(tab: &Tab, book: &Served) {
    tab.open(&address(book, ""));
    for path in
        ["/%2e%2e/Cargo.toml", "/..%2fCargo.toml", "/labs/%2e%2e/%2e%2e/Cargo.toml", "/book.toml", "/.git/config"]
    {
        let status = tab.promised(&format!("fetch({path:?}).then((answer) => answer.status)"));
        assert_eq!(status, 404, "{path}");
    }
}
