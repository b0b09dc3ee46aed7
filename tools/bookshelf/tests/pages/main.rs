//! The built book, page by page, as a reader without JavaScript gets it.

mod dom;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use dom::{Book, BuiltPage, Element, files};
use harness::root;
use recording::marks::redacted;

/// Where a link leads inside the book: a file, and a place in it. Nothing for one that leads to another host.
fn inside(page: &BuiltPage, link: &str) -> Option<(PathBuf, Option<String>)> {
    if link.contains("://") || link.starts_with("mailto:") || link.starts_with("data:") {
        return None;
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor.to_owned())));
    let path = path.split('?').next().unwrap_or_default();
    // The page for what is not found says that its links begin at the root, since it is shown anywhere.
    let folder = if page.path == Path::new("404.html") { Path::new("") } else { page.path.parent().expect("a folder") };
    let target = if path.is_empty() { page.path.clone() } else { folder.join(path) };
    let mut whole = PathBuf::new();
    for part in target.components() {
        match part {
            Component::ParentDir => assert!(whole.pop(), "{}: {link} leads out of the book", page.name()),
            Component::Normal(part) => whole.push(part),
            other => panic!("{}: {link} has {other:?} in it", page.name()),
        }
    }
    Some((whole, anchor))
}

/// Everything by which an element names another file.
fn references(element: &Element) -> impl Iterator<Item = &str> {
    let names = if element.name == "base" { &[][..] } else { &["href", "src", "data", "poster"] };
    names.iter().filter_map(|name| element.attribute(name))
}

#[test]
fn every_link_leads_to_a_file_and_a_place_in_it() {
    let book = Book::get();
    let mut wrong = Vec::new();
    for page in &book.pages {
        for element in &page.elements {
            for link in references(element) {
                let Some((path, anchor)) = inside(page, link) else { continue };
                let there = match (book.page(&path), anchor) {
                    (Some(target), Some(anchor)) => anchor.is_empty() || target.ids().contains(&anchor.as_str()),
                    (Some(_), None) => true,
                    (None, _) => book.root().join(&path).is_file(),
                };
                if !there {
                    wrong.push(format!("{}: {link}", page.name()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
}

#[test]
fn nothing_is_loaded_from_another_host() {
    let book = Book::get();
    for page in &book.pages {
        for element in &page.elements {
            let loads = element.name != "a";
            assert!(!element.has_class("playground"), "{}: mdBook would ask another host about it", page.name());
            for link in references(element).filter(|_| loads) {
                assert!(inside(page, link).is_some() || link.starts_with("data:"), "{} loads {link}", page.name());
            }
        }
    }
    for path in files(book.root()).into_iter().filter(|path| path.extension().is_some_and(|one| one == "css")) {
        let style = fs::read_to_string(book.root().join(&path)).expect("a style sheet");
        for (_, target) in style.match_indices("url(").map(|(at, _)| style[at..].split_at("url(".len())) {
            let target = target.trim_start_matches(['"', '\'']);
            assert!(!target.starts_with("http") && !target.starts_with("//"), "{} loads {target:.60}", path.display());
        }
        assert!(!style.contains("@import"), "{} loads something", path.display());
    }
}

#[test]
fn pages_are_html() {
    // The frame with the table of contents is all mdBook's, and has an end too many.
    for page in Book::get().pages.iter().filter(|page| page.path != Path::new("toc.html")) {
        assert_eq!(page.errors, [""; 0], "{}", page.name());
    }
}

#[test]
fn each_id_is_one_and_what_refers_to_one_finds_it() {
    for page in &Book::get().pages {
        let ids = page.ids();
        let mut seen = BTreeSet::new();
        let twice: Vec<_> = ids.iter().filter(|id| !seen.insert(**id)).collect();
        assert!(twice.is_empty(), "{}: {twice:?}", page.name());
        for element in &page.elements {
            for name in ["aria-labelledby", "aria-describedby", "for"] {
                for id in element.attribute(name).unwrap_or_default().split_whitespace() {
                    assert!(ids.contains(&id), "{}: {name}={id}", page.name());
                }
            }
        }
    }
}

/// What a lab prints is in its chapter, and in the page that is printed, word for word. Values that vary are there as they were.
#[test]
fn without_javascript_all_is_there() {
    let book = Book::get();
    let printed = redacted(&book.page(Path::new("print.html")).expect("a page to print").main().text);
    for (lab, page) in book.labs() {
        let expected =
            fs::read_to_string(root().join("labs").join(&lab).join("expected.txt")).expect("it prints something");
        let transcript = |id: &str| {
            let transcript = page.elements.iter().find(|element| element.attribute("id") == Some(id));
            redacted(&transcript.unwrap_or_else(|| panic!("{lab} has no {{{{#output}}}}")).text)
        };
        let (rust, node) = (transcript("transcript"), transcript("node-transcript"));
        let lines: Vec<&str> = rust.lines().map(str::trim).skip_while(|line| !line.starts_with("1. ")).collect();
        for line in expected.lines().map(str::trim).filter(|line| !line.is_empty()) {
            // The folder in which a lab was recorded has no pattern.
            let line: &str = line.strip_suffix("[CWD]").unwrap_or(line);
            let there = lines.iter().any(|shown| *shown == line || shown.contains(line));
            assert!(there, "{lab}: {line:?} is not in its transcript");
            assert!(printed.contains(line), "{lab}: {line:?} is not in the page to print");
        }
        assert!(node.contains("\nFacts\n"), "{lab}: its run in Node is not there");
        for element in &page.elements {
            if element.has_class("tab") {
                assert!(element.attribute("hidden").is_none(), "{lab}: a tab that no script opens");
            }
        }
    }
}

#[test]
fn every_diagram_has_lanes_and_words() {
    for (lab, page) in Book::get().labs() {
        for figure in page.elements.iter().filter(|element| element.name == "figure" && element.has_class("diagram")) {
            let below = page.below(figure);
            let count = |class: &str| below.iter().filter(|element| element.has_class(class)).count();
            assert!(count("life") > 0 && count("head") >= count("life"), "{lab}: each lane has a name");
            let words = below.iter().find(|element| element.name == "ol");
            assert!(words.is_some_and(|words| words.text.len() > 20), "{lab}: a diagram without words");
        }
    }
}

#[test]
fn what_labs_print_can_be_searched_for() {
    let book = Book::get();
    let index = files(book.root()).into_iter().find(|path| path.to_string_lossy().starts_with("searchindex"));
    let index = fs::read_to_string(book.root().join(index.expect("there is a search index"))).expect("text");
    for word in ["EADDRINUSE", "socketpair"] {
        assert!(index.contains(word), "{word} is not in the search index");
    }
}

#[test]
fn it_is_built_within_ten_seconds() {
    assert!(Book::get().took < Duration::from_secs(10), "{:?}", Book::get().took);
}

#[test]
fn no_page_knows_the_machine_that_it_was_built_on() {
    let home = std::env::var("HOME").unwrap_or_default();
    for page in &Book::get().pages {
        assert!(!page.source.contains(root().to_str().expect("UTF-8")), "{}", page.name());
        assert!(home.len() < 3 || !page.source.contains(&format!("{home}/")), "{}: {home}", page.name());
    }
}
