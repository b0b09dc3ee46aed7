//! The book's sources are in order: every lab has a chapter of the right shape, with all that was recorded of it, and nothing in it was
//! typed by hand that the repository has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use harness::root;

/// The headings of a lab's chapter, in order.
const HEADINGS: [&str; 7] =
    ["What you will see", "Run it", "What happened", "The code", "What it costs", "Claims", "Try it"];

/// The directives that every chapter of a lab has.
const DIRECTIVES: [&str; 5] = ["{{#lab}}", "{{#prediction}}", "{{#output}}", "{{#code ", "{{#trace"];

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of a folder's entries, sorted.
fn entries(folder: impl AsRef<Path>) -> Vec<String> {
    let path = root().join(folder);
    let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn chapter(lab: &str) -> String {
    read(format!("book/src/labs/{lab}.md"))
}

#[test]
fn every_lab_has_a_chapter_and_every_chapter_a_lab() {
    let labs = entries("labs");
    let chapters: Vec<String> = labs.iter().map(|lab| format!("{lab}.md")).collect();
    assert_eq!(entries("book/src/labs"), chapters);
    let summary = read("book/src/SUMMARY.md");
    let listed: Vec<&str> = summary.lines().filter_map(|line| line.split_once("(labs/")?.1.strip_suffix(')')).collect();
    assert_eq!(listed, chapters, "the table of contents has the labs in the order of their numbers");
}

#[test]
fn every_page_of_the_contents_is_there_and_no_other() {
    let summary = read("book/src/SUMMARY.md");
    let listed: BTreeSet<&str> =
        summary.lines().filter_map(|line| line.split_once("](")?.1.strip_suffix(')')).collect();
    for page in &listed {
        assert!(root().join("book/src").join(page).is_file(), "the table of contents names {page}");
    }
    let pages = entries("book/src").into_iter().filter(|name| name.ends_with(".md") && name != "SUMMARY.md");
    for page in pages {
        assert!(listed.contains(page.as_str()), "the table of contents does not name {page}");
    }
}

#[test]
fn every_chapter_of_a_lab_has_its_shape() {
    for lab in entries("labs") {
        let text = chapter(&lab);
        let number = lab.split('-').next().unwrap_or_default();
        assert!(text.starts_with(&format!("# {number} · ")), "{lab}: the title begins with its number");
        let headings: Vec<&str> = outside_of_code(&text).filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, HEADINGS, "{lab}");
        let missing: Vec<_> = DIRECTIVES.iter().filter(|directive| !text.contains(**directive)).collect();
        assert!(missing.is_empty(), "{lab} has no {missing:?}");
        let has_arrows = read(format!("book/recorded/{lab}.rust.jsonl")).contains("\"arrow\":");
        assert!(
            !has_arrows || text.contains("{{#diagram"),
            "{lab}: something goes from one process to another, and no diagram shows it"
        );
        let to_try = text.split_once("\n## Try it\n").map_or("", |(_, rest)| rest);
        assert_eq!(to_try.matches("<details>").count(), 3, "{lab}: three changes to try");
        assert_eq!(to_try.matches("<summary>What it should show</summary>").count(), 3, "{lab}: what each should show");
    }
}

#[test]
fn every_lab_is_recorded_and_nothing_else() {
    let files = entries("labs").into_iter().flat_map(|lab| [format!("{lab}.node.jsonl"), format!("{lab}.rust.jsonl")]);
    assert_eq!(entries("book/recorded"), files.collect::<Vec<_>>());
}

/// Output and code come into the chapters by directives. A block typed by hand may show a figure, a command or a file of the kernel's, but
/// not two lines that a lab prints or that stand in a source of ours. A change to try is none of this: it has to say where it is made.
#[test]
fn the_book_quotes_nothing_by_hand() {
    let mut ours: BTreeSet<String> = BTreeSet::new();
    for lab in entries("labs") {
        let folder = PathBuf::from("labs").join(&lab);
        for file in ["src", "node", "python"].iter().flat_map(|part| sources(&folder.join(part))) {
            ours.extend(lines_that_count(&read(file)));
        }
        ours.extend(lines_that_count(&read(folder.join("expected.txt"))));
    }
    ours.extend(sources(Path::new("src")).iter().flat_map(|file| lines_that_count(&read(file))));
    let mut copies = String::new();
    for page in sources(Path::new("book/src")).into_iter().filter(|page| !page.starts_with("book/src/benchmarks")) {
        let text = read(&page);
        let text = text.split("\n## Try it\n").next().unwrap_or_default();
        for block in blocks(text) {
            let copied: Vec<String> = lines_that_count(&block).into_iter().filter(|line| ours.contains(line)).collect();
            if copied.len() >= 2 {
                copies += &format!("{}:\n  {}\n", page.display(), copied.join("\n  "));
            }
        }
    }
    assert!(copies.is_empty(), "typed by hand in\n{copies}");
}

/// The lines of a text that are long enough not to be equal by chance.
fn lines_that_count(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| line.chars().filter(|c| c.is_alphanumeric()).count() >= 10).collect()
}

/// All text files below a folder, from the root; none if there is no such folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        if !root().join(&folder).is_dir() {
            continue;
        }
        for path in entries(&folder).into_iter().map(|name| folder.join(name)) {
            if root().join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|one| ["rs", "js", "py", "md"].iter().any(|known| one == *known)) {
                found.push(path);
            }
        }
    }
    found
}

/// The blocks between fences.
fn blocks(text: &str) -> Vec<String> {
    text.split("\n```").skip(1).step_by(2).map(str::to_owned).collect()
}

/// The lines that are not between fences.
fn outside_of_code(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n```").step_by(2).flat_map(str::lines)
}
