//! What a reader sees and does.

use harness::labs;
use serde_json::{Value, json};

use super::driver::{Tab, stays_here};
use super::served::shelf::{Served, Shelf};

/// The chapter of a lab that has everything a chapter can have.
const CHAPTER: &str = "labs/05-handle-passing.html";

/// The addresses of all pages, from the table of contents.
pub(crate) fn chapters(tab: &Tab, book: &Served) -> Vec<String> {
    tab.open(&address(book, ""));
    let links = tab.until("(() => { const a = [...document.querySelectorAll('#mdbook-sidebar .chapter a[href]')]; return a.length && a.map((a) => a.href); })()");
    let mut links: Vec<String> =
        links.as_array().expect("links").iter().filter_map(|link| link.as_str().map(str::to_owned)).collect();
    for link in &mut links {
        link.truncate(link.find('#').unwrap_or(link.len()));
    }
    links.dedup();
    links
}

pub(crate) fn address(book: &Served, page: &str) -> String {
    format!("http://{}/{page}", book.host())
}

pub(crate) fn every_page(tab: &Tab, book: &Served) {
    let chapters = chapters(tab, book);
    assert!(chapters.len() >= labs().len(), "a chapter for each lab: {chapters:?}");
    tab.console();
    for chapter in &chapters {
        tab.open(chapter);
        assert!(tab.text("main h1").len() > 2, "{chapter}");
        let said = tab.console();
        assert_eq!(said, [""; 0], "{chapter} says on the console");
    }
}

pub(crate) fn search(tab: &Tab, book: &Served) {
    tab.open(&address(book, ""));
    tab.click("#mdbook-search-toggle");
    tab.types("#mdbook-searchbar", "EADDRINUSE");
    let found = tab.until("(() => { const a = [...document.querySelectorAll('#mdbook-searchresults a')]; return a.length && a.map((a) => a.href); })()");
    let found = found.to_string();
    assert!(found.contains("labs/04-eaddrinuse"), "{found}");
    tab.click("#mdbook-searchresults a");
    tab.until("document.querySelector('main mark')");
}

pub(crate) fn tabs(tab: &Tab, book: &Served) {
    tab.open(&address(book, CHAPTER));
    let shown = || {
        let panels = tab.run("return [...document.querySelector('.tabs.ready').querySelectorAll('[role=tabpanel]')].map((panel) => panel.checkVisibility())");
        panels.as_array().expect("panels").iter().filter_map(Value::as_bool).collect::<Vec<_>>()
    };
    tab.until("document.querySelector('.tabs.ready [role=tab]')");
    assert_eq!(shown()[..2], [true, false], "Rust first");
    tab.click(".tabs.ready [role=tab]:nth-of-type(2)");
    assert_eq!(shown()[..2], [false, true]);
    assert_eq!(
        tab.run("return document.querySelector('.tabs.ready [role=tab]:nth-of-type(2)').getAttribute('aria-selected')"),
        "true"
    );
    // The keyboard does the same, and the next page remembers it.
    tab.types(".tabs.ready [role=tab]:nth-of-type(2)", "\u{e012}");
    assert_eq!(shown()[..2], [true, false]);
    tab.click(".tabs.ready [role=tab]:nth-of-type(2)");
    tab.open(&address(book, CHAPTER));
    tab.until("document.querySelector('.tabs.ready [role=tab]')");
    assert_eq!(shown()[..2], [false, true]);
    // Transcripts, diagrams and traces are in the same language as the code; a link to a line of another one opens its tab.
    let others = tab.run("return [...document.querySelectorAll('.tabs.ready > .tab[data-tab=Rust]')].filter((panel) => !panel.hidden).length");
    assert_eq!(others, 0);
    let line = "document.querySelector('#line-2-2').checkVisibility()";
    assert_eq!(tab.run(&format!("return {line}")), false);
    tab.run("location.hash = '#line-2-2'");
    tab.until(line);
    tab.run("localStorage.clear()");
}

/// The system's wish for a dark page, or a light one.
pub(crate) fn prefer(tab: &Tab, scheme: &str) {
    let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    tab.devtools("Emulation.setEmulatedMedia", features);
}

/// The contrast of what is written with what it is written on, for everything on the page that holds text itself; the lowest first.
const CONTRAST: &str = "
    const channels = (colour) => {
        const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const known = new Map();
    const rgba = (colour) => known.get(colour) ?? (known.set(colour, channels(colour)), known.get(colour));
    const light = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const ground = (element) => {
        for (; element; element = element.parentElement) {
            const colour = rgba(getComputedStyle(element).backgroundColor);
            if (colour[3] === 255) return colour;
        }
        return [255, 255, 255, 255];
    };
    const written = [...document.querySelectorAll('main *')].filter((element) => element.checkVisibility()
        && !element.closest('svg') && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
    return written.map((element) => {
        const [a, b] = [light(rgba(getComputedStyle(element).color)), light(ground(element))];
        return { ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), what: element.outerHTML.slice(0, 120) };
    }).sort((a, b) => a.ratio - b.ratio);";

pub(crate) fn dark(tab: &Tab, book: &Served) {
    prefer(tab, "dark");
    tab.open(&address(book, CHAPTER));
    let ground = tab.run("return getComputedStyle(document.body).backgroundColor").to_string();
    let channels: Vec<u32> =
        ground.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
    assert!(channels[..3].iter().all(|channel| *channel < 64), "dark: {ground}");
    let contrast = tab.run(CONTRAST);
    let lowest = &contrast[0];
    assert!(contrast.as_array().is_some_and(|all| all.len() > 100), "{contrast}");
    assert!(lowest["ratio"].as_f64().is_some_and(|ratio| ratio >= 4.5), "{lowest}");
    // Chosen by hand, a theme stays.
    tab.click("#mdbook-theme-toggle");
    tab.click("#mdbook-theme-light");
    let ground = "getComputedStyle(document.body).backgroundColor";
    let light =
        tab.until(&format!("{ground} !== 'rgb({}, {}, {})' && {ground}", channels[0], channels[1], channels[2]));
    tab.open(&address(book, CHAPTER));
    assert_eq!(tab.run(&format!("return {ground}")), light);
    tab.run("localStorage.clear()");
}

/// Chapter 00 has a diagram in which several processes are called `child`.
pub(crate) fn diagrams(tab: &Tab, book: &Served) {
    tab.open(&address(book, "labs/00-process.html"));
    let figures = tab.run(
        "return [...document.querySelectorAll('figure.diagram[data-language=rust]')].map((figure) => {
            const box = (element) => element.getBoundingClientRect();
            const middle = (element) => box(element).left + box(element).width / 2;
            const heads = [...figure.querySelectorAll('.head')];
            const near = (a, b) => Math.abs(a - b) < 2;
            // Each arrow goes from a lane to a lane, or to the head of one.
            const lanes = heads.map(middle);
            const edges = [...lanes, ...heads.flatMap((head) => [box(head).left, box(head).right])];
            const loose = [...figure.querySelectorAll('.arrow:not(.to-itself)')]
                .filter((arrow) => ![box(arrow).left, box(arrow).right].every((end) => edges.some((edge) => near(edge, end))));
            return { names: heads.map((head) => head.firstChild.textContent), starts: figure.querySelectorAll('.to-head').length,
                arrows: figure.querySelectorAll('.arrow').length, loose: loose.map((arrow) => arrow.textContent), words: figure.querySelectorAll('.words li').length };
        })",
    );
    let figures = figures.as_array().expect("figures");
    assert!(!figures.is_empty());
    for figure in figures {
        let names = figure["names"].as_array().expect("names");
        let mut different = names.clone();
        different.dedup();
        assert_eq!(&different, names, "no two processes have one name: {figure}");
        assert!(figure["arrows"].as_u64() > Some(0) && figure["words"].as_u64() > Some(0), "{figure}");
        assert_eq!(figure["loose"], json!([]), "{figure}");
    }
    // Step 3 starts three children, one after the other.
    assert_eq!(figures[0]["starts"], 3, "{figures:?}");
    // A process has its colour in the transcript and in the diagram.
    let colours = "return ['figure.transcript .voice.voice-blue', 'figure.diagram .head.voice-blue']
        .map((selector) => getComputedStyle(document.querySelector(selector)).color)";
    let both = tab.run(colours);
    assert_eq!(both[0], both[1], "{both}");
}

pub(crate) fn without_javascript(tab: &Tab, book: &Served) {
    let chapters = chapters(tab, book);
    tab.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    for chapter in &chapters {
        tab.open(chapter);
        let seen = tab.run(
            "const shown = (selector) => [...document.querySelectorAll(selector)].map((element) => element.checkVisibility());
             return { text: document.querySelector('main').innerText.length, run: shown('.run-here'), panels: shown('.tab:not(details .tab)'),
                 words: shown('figure.diagram .sequence'), next: shown('.nav-chapters').length, ready: document.querySelectorAll('.tabs.ready').length };",
        );
        let all_shown = |name: &str| seen[name].as_array().is_some_and(|all| all.iter().all(|shown| shown == true));
        assert!(seen["text"].as_u64().is_some_and(|length| length > 400), "{chapter}: {seen}");
        assert_eq!(seen["ready"], 0, "no script ran: {chapter}");
        assert!(all_shown("panels") && all_shown("words"), "{chapter}: {seen}");
        assert!(seen["run"].as_array().is_some_and(|all| all.iter().all(|shown| shown == false)), "{chapter}: {seen}");
    }
    tab.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": false }));
}

pub(crate) fn phone(tab: &Tab, book: &Served) {
    let chapters = chapters(tab, book);
    let phone = json!({ "width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": true });
    tab.devtools("Emulation.setDeviceMetricsOverride", phone);
    for chapter in &chapters {
        tab.open(chapter);
        let width = tab.run("return document.documentElement.scrollWidth");
        assert!(width.as_u64().is_some_and(|width| width <= 360), "{chapter} is {width} wide");
    }
    tab.devtools("Emulation.clearDeviceMetricsOverride", json!({}));
}

pub(crate) fn paper(tab: &Tab, book: &Served) {
    tab.open(&address(book, CHAPTER));
    let folded = "document.querySelectorAll('main details:not([open])').length";
    let before = tab.run(&format!("return {folded}")).as_u64();
    assert!(before.is_some_and(|folds| folds > 3), "there are folds: {before:?}");
    tab.devtools("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    tab.run("window.dispatchEvent(new Event('beforeprint'))");
    let seen = tab.run(&format!(
        "const shown = (selector) => [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
         return {{ folded: {folded}, pressed: shown('button, .run-here, input').map((button) => button.outerHTML),
             tabs: document.querySelectorAll('.tabs > .tab').length - shown('.tabs > .tab').length }}"
    ));
    assert_eq!(seen, json!({ "folded": 0, "pressed": [], "tabs": 0 }));
    tab.run("window.dispatchEvent(new Event('afterprint'))");
    assert_eq!(tab.run(&format!("return {folded}")).as_u64(), before, "as it was before");
}

pub(crate) fn built_again(tab: &Tab, _: &Served) {
    let shelf = Shelf::new();
    let book = shelf.serve(&[]);
    tab.open(&address(&book, "introduction.html"));
    assert!(tab.text("main").contains("The first words."));
    shelf.workspace.write("book/src/introduction.md", "# Introduction\n\nOther words.\n");
    tab.until("document.querySelector('main')?.innerText.includes('Other words.')");
    tab.open("about:blank");
    book.stop();
}

/// Every test fails in whose tab such a request was made; this one makes sure that it would.
pub(crate) fn leaving(tab: &Tab, _: &Served) {
    tab.open("data:text/html,<img src='http://elsewhere.test/picture.png' onerror='window.failed = true'>");
    tab.until("window.failed");
    let away: Vec<String> = tab.requests().into_iter().filter(|url| !stays_here(url)).collect();
    assert_eq!(away, ["http://elsewhere.test/picture.png"]);
}
