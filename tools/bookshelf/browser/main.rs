//! The book in a real browser: what a reader sees and does, who is kept out, and that nothing leaves the machine.

mod axe;
mod driver;
mod reading;
mod running;
#[path = "../tests/served/mod.rs"]
mod served;

use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use driver::{Browser, Tab, in_a_tab};
use harness::{program, trial, trial_unless};
use libtest_mimic::Trial;
use served::shelf::Served;

/// The browser and the book that it shows.
#[derive(Debug)]
struct Room {
    browser: Browser,
    book: Served,
}

impl Room {
    fn new() -> Mutex<Room> {
        // Whoever works on the book meanwhile does not make the pages load again in the middle of a test.
        let mut book = Command::new(program("bookshelf"));
        book.args(["--port", "0", "--no-watch", "--no-open"]);
        Mutex::new(Room { browser: Browser::start(), book: Served::start(book) })
    }
}

/// What is done in a tab, with the book.
type Test = Box<dyn FnOnce(&Tab, &Served) + Send>;

/// What the browser tests need.
const TOOLS: [&str; 2] = ["chromium", "chromedriver"];

fn main() -> ExitCode {
    // Opened by the first test that is run; one test at a time is in it.
    let room: Arc<OnceLock<Mutex<Room>>> = Arc::default();
    let within = |test: Test| {
        let room = Arc::clone(&room);
        move || {
            let room = room.get_or_init(Room::new).lock().unwrap_or_else(PoisonError::into_inner);
            in_a_tab(&room.browser, |tab| test(tab, &room.book));
        }
    };
    let reads = |name: &str, test: fn(&Tab, &Served)| -> Trial { trial(name, &TOOLS, within(Box::new(test))) };
    let with_axe = |name: &str, test: fn(&Tab, &Served, &str)| -> Trial {
        let test = move |tab: &Tab, book: &Served| test(tab, book, &axe::source());
        trial_unless(harness::missing(&TOOLS).or_else(axe::missing), name, within(Box::new(test)))
    };
    let trials = vec![
        reads("the book opens, and every page says nothing wrong on the console", reading::every_page),
        reads("search finds EADDRINUSE", reading::search),
        reads("the tabs of the code switch", reading::tabs),
        reads("the dark theme is readable", reading::dark),
        reads("diagrams are drawn, with a lane for each process", reading::diagrams),
        reads("a request that leaves the machine would be noticed", reading::leaving),
        reads("without JavaScript every page can be read", reading::without_javascript),
        reads("no page is wider than a phone", reading::phone),
        reads("on paper everything is unfolded, and there is nothing to press", reading::paper),
        reads("a page loads itself again when the book was built again", reading::built_again),
        reads("a lab runs in its chapter, and its facts are the book's", running::run),
        reads("a running lab can be cancelled, and nothing of it is left", running::cancel),
        reads("a page that is left takes its lab with it", running::left),
        reads("a page of another origin can neither read nor run", running::other_origin),
        reads("a name that was rebound to this machine is refused", running::rebound),
        reads("a path outside the book is refused", running::outside),
        with_axe("axe finds nothing in the light theme", axe::light),
        with_axe("axe finds nothing in the dark theme", axe::dark),
        with_axe("axe finds nothing in a chapter that runs its lab", axe::running),
    ];
    let code = harness::conclude(trials);
    if let Some(room) = Arc::into_inner(room).and_then(OnceLock::into_inner) {
        let Room { browser, book } = room.into_inner().unwrap_or_else(PoisonError::into_inner);
        browser.end();
        book.stop();
    }
    code
}
