//! Labs that are run, and how they are ended.

use nix::sys::signal::Signal;

use super::served::shelf::Shelf;
use super::served::wait_until_gone;

pub(crate) fn run(shelf: &Shelf) {
    let served = shelf.serve(&[]);
    let mut run = served.post("/run/90");
    assert_eq!((run.status, run.header("content-type")), (200, "application/x-ndjson"));
    let first = run.word().expect("a word");
    assert!(first["compiling"].as_str().is_some_and(|text| text.contains("lab-90-quick")), "{first}");
    let (mut records, mut figures, mut html) = (Vec::new(), 0, String::new());
    let end = loop {
        let word = run.word().expect("an end");
        figures += usize::from(word["figure"].is_string());
        if word["record"].is_object() {
            assert_eq!(figures, 1, "a transcript for the lines to stand in");
            html += word["html"].as_str().expect("the line for the page");
            records.push(word["record"].clone());
        }
        if word["end"].is_object() {
            break word["end"].clone();
        }
    };
    assert_eq!(records.len(), 4, "{records:?}");
    assert_eq!(records[2]["fact"], "colour");
    assert!(html.contains("&lt;b&gt;hello&lt;/b&gt;") && !html.contains("<b>hello"), "{html}");
    assert!(html.contains("voice-blue") && html.contains("voice-green"), "the colours of the processes: {html}");
    assert_eq!((&end["code"], &end["complete"]), (&0.into(), &true.into()), "{end}");
    let different = serde_json::json!([{ "fact": "size", "book": "4", "here": "5" }]);
    assert_eq!((&end["facts"]["count"], &end["facts"]["different"]), (&2.into(), &different));
    let diagrams = end["diagrams"].as_object().expect("diagrams");
    assert_eq!(diagrams.keys().collect::<Vec<_>>(), [""], "the chapter has one, of all steps");
    assert!(diagrams[""]["drawing"].as_str().is_some_and(|drawing| drawing.contains("class=\"sequence\"")), "{end}");
    assert!(diagrams[""]["words"].as_str().is_some_and(|words| words.contains("child")), "{end}");
    served.stop();
}

pub(crate) fn failing(shelf: &Shelf) {
    let served = shelf.serve(&[]);
    let end = served.post("/run/93").end();
    assert_eq!((&end["code"], &end["complete"]), (&7.into(), &false.into()));
    assert_eq!(end["stderr"], "it is not my day\n");
    served.stop();
}

pub(crate) fn broken(shelf: &Shelf) {
    let served = shelf.serve(&[]);
    let end = served.post("/run/92").end();
    assert!(end["sentence"].as_str().is_some_and(|sentence| sentence.contains("does not compile")), "{end}");
    assert!(end["stderr"].as_str().is_some_and(|errors| errors.contains("main.rs:1")), "{end}");
    served.stop();
}

pub(crate) fn one_at_a_time(shelf: &Shelf) {
    let served = shelf.serve(&[]);
    let mut first = served.post("/run/91");
    let pids = first.said("pids ");
    let second = served.post("/run/90");
    assert_eq!(second.status, 409);
    assert_eq!(second.text(), "Lab 91-forever is running now, and one runs at a time.\n");
    // The page of the first one is closed: the next one waits for its end, and is then run.
    drop(first);
    let end = served.post("/run/90").end();
    assert_eq!(end["code"], 0, "{end}");
    wait_until_gone(&pids);
    served.stop();
}

pub(crate) fn cancelled(shelf: &Shelf) {
    let served = shelf.serve(&[]);
    assert_eq!(served.post("/run/cancel").status, 204, "nothing to cancel is no mistake");
    let mut run = served.post("/run/91");
    let pids = run.said("pids ");
    assert_eq!(served.post("/run/cancel").status, 204);
    let end = run.end();
    assert!(end["sentence"].as_str().is_some_and(|sentence| sentence.starts_with("Cancelled")), "{end}");
    assert_eq!((&end["code"], &end["complete"]), (&137.into(), &false.into()), "SIGTERM was not enough: {end}");
    assert_eq!(end["cancelled"], true);
    wait_until_gone(&pids);
    served.stop();
}

pub(crate) fn page_gone(shelf: &Shelf) {
    let served = shelf.serve(&[]);
    let mut run = served.post("/run/91");
    let pids = run.said("pids ");
    assert_eq!(pids.split(' ').count(), 3, "itself, its child, an orphan: {pids}");
    drop(run);
    wait_until_gone(&pids);
    served.stop();
}

pub(crate) fn time_is_up(shelf: &Shelf) {
    let served = shelf.serve(&["--limit", "1"]);
    let mut run = served.post("/run/91");
    let pids = run.said("pids ");
    let end = run.end();
    assert!(end["sentence"].as_str().is_some_and(|sentence| sentence.contains("1 s")), "{end}");
    assert_eq!(end["complete"], false);
    wait_until_gone(&pids);
    served.stop();
}

pub(crate) fn interrupted(shelf: &Shelf) {
    let served = shelf.serve(&[]);
    let mut run = served.post("/run/91");
    let pids = run.said("pids ");
    served.stop();
    wait_until_gone(&pids);
}

pub(crate) fn killed(shelf: &Shelf) {
    let served = shelf.serve(&[]);
    let mut run = served.post("/run/91");
    let pids = run.said("pids ");
    served.process.signal(Signal::SIGKILL);
    let (_, _, mark) = served.process.end();
    wait_until_gone(&pids);
    assert_eq!(mark.leftovers(), [""; 0], "its keeper has gone, too");
}
