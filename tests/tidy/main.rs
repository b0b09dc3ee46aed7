//! Checks the layout of the repository: every lab has all its parts, every file is in its place, imports go one way,
//! and the documents agree with the code.
//!
//! `SNAPSHOTS=overwrite cargo test --test tidy` rewrites what is generated.

mod cycles;
mod imports;
mod surface;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use harness::root;
use manifest::Lab;
use snapbox::{Assert, Data};

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The entries of a directory, sorted, without what git ignores and what an editor may put there.
fn entries(directory: impl AsRef<Path>) -> Vec<String> {
    let found =
        fs::read_dir(root().join(directory)).expect("a directory").map(|entry| entry.expect("readable").file_name());
    let mut names: Vec<_> = found.map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| !matches!(name.as_str(), "target" | ".git" | ".vscode" | ".idea" | ".DS_Store"));
    names.sort();
    names
}

/// Every file below a directory that ends in `.extension`, as a path from the root.
fn files(directory: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![PathBuf::from(directory)];
    while let Some(directory) = directories.pop() {
        for name in entries(&directory) {
            let path = directory.join(name);
            if root().join(&path).is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "there are .{extension} files in {directory}");
    found
}

fn labs() -> Vec<Lab> {
    let labs = manifest::labs(root()).unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<_> = labs.iter().map(|lab| lab.name.clone()).collect();
    assert_eq!(entries("labs"), names, "each directory in labs/ is a lab");
    labs
}

#[test]
fn every_lab_has_all_its_parts() {
    for Lab { name, .. } in labs() {
        for part in ["src/main.rs", "expected.txt"] {
            assert!(root().join("labs").join(&name).join(part).is_file(), "labs/{name} has {part}");
        }
        let original = entries(format!("labs/{name}/node"));
        let start = |file: &str| original.iter().any(|found| found == file);
        assert!(start("main.js") || start("parent.js"), "labs/{name}/node has main.js or parent.js");
    }
}

#[test]
fn every_lab_says_what_it_is_and_asks_a_question() {
    for Lab { name, title, minutes, summary, trace, prediction, .. } in labs() {
        assert!(!title.is_empty(), "{name}");
        assert!(summary.len() <= 160, "{name}: the summary is a sentence");
        assert!((1..=30).contains(&minutes), "{name}: {minutes} minutes");
        assert!(!trace.is_empty(), "{name}: trace names calls");
        assert!(prediction.choices.len() >= 2, "{name}: a question has a choice");
        for text in [prediction.question, prediction.rust.because, prediction.node.because] {
            assert!(text.len() > 20, "{name}: {text:?} is a sentence");
        }
    }
}

/// A learner who always chooses the same number is wrong at least half of the time, in each language.
#[test]
fn the_right_answers_stand_in_all_places() {
    let labs = labs();
    for node in [false, true] {
        let answer = |Lab { prediction, .. }: &Lab| if node { prediction.node.choice } else { prediction.rust.choice };
        let mut places = BTreeMap::new();
        labs.iter().for_each(|lab| *places.entry(answer(lab)).or_insert(0) += 1);
        let most = places.values().max().copied().unwrap_or_default();
        assert!(most * 2 <= labs.len(), "one place has most of the right answers: {places:?}");
    }
}

/// The C library and the shell choose which of these calls makes a process. A trace of only some of them hides
/// processes.
#[test]
fn a_lab_that_traces_one_way_to_make_a_process_traces_all() {
    let family = ["clone", "clone3", "fork", "vfork"];
    for lab in labs() {
        let missing: Vec<_> = family.iter().filter(|call| !lab.trace.iter().any(|traced| traced == *call)).collect();
        let none_or_all = missing.is_empty() || missing.len() == family.len();
        assert!(none_or_all, "labs/{}/Cargo.toml: trace lacks {missing:?}, other ways to make a process", lab.name);
    }
}

#[test]
fn transcripts_fit_on_a_terminal() {
    for lab in labs() {
        for line in read(format!("labs/{}/expected.txt", lab.name)).lines() {
            assert!(line.chars().count() <= 80, "labs/{}: wider than 80 columns: {line:?}", lab.name);
        }
    }
}

#[test]
fn files_are_short_enough_to_be_read() {
    // The marks of the book's excerpts do not count.
    let lines = |path: &PathBuf| read(path).lines().filter(|line| !line.contains("ANCHOR")).count();
    for path in files("src", "rs").iter().chain(&files("tools", "rs")).chain(&files("tests", "rs")) {
        assert!(lines(path) <= 320, "{}: {} lines; split it", path.display(), lines(path));
    }
    for path in files("labs", "rs").iter().chain(&files("labs", "js")) {
        let limit = if path.ends_with("src/main.rs") { 95 } else { 150 };
        assert!(lines(path) <= limit, "{}: {} lines; a lab shows one mechanism", path.display(), lines(path));
    }
}

/// The layers of the library, from the lowest up. Each may import only those before it.
const LAYERS: [&str; 7] = ["error", "sys", "net", "ipc", "child_process", "cluster", "supervisor"];

#[test]
fn imports_in_the_library_run_downwards() {
    let layer = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    for path in files("src", "rs") {
        let module = path.components().nth(1).expect("below src").as_os_str().to_string_lossy().replace(".rs", "");
        let Some(own) = layer(&module) else {
            assert_eq!(module, "lib", "{} is not in a layer of src/", path.display());
            continue;
        };
        let text = read(&path);
        // Comments may name any layer.
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for name in code.flat_map(|line| line.split("crate::").skip(1)) {
            let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if let Some(other) = layer(&name) {
                assert!(other <= own, "{} imports {name}, a higher layer", path.display());
            }
        }
    }
}

#[test]
fn no_file_imports_itself_by_way_of_others() {
    let directories = ["src", "labs", "tools", "benches", "tests", "fuzz/bodies", "fuzz/targets"];
    let files = directories.iter().flat_map(|directory| files(directory, "rs"));
    let cycles = cycles::cycles(&files.map(|file| (file.clone(), read(file))).collect());
    let cycles: Vec<String> = cycles.into_iter().collect();
    assert!(cycles.is_empty(), "import cycles:\n{}", cycles.join("\n"));
}

#[test]
fn unsafe_code_is_in_sys_alone_and_argued_for() {
    let allowed = "#![allow(unsafe_code)]";
    for directory in ["src", "tools", "labs", "tests", "benches"] {
        for path in files(directory, "rs") {
            let in_sys = path.starts_with("src/sys") || path == Path::new("tests/tidy/main.rs");
            assert!(in_sys || !read(&path).contains(allowed), "{} allows unsafe code", path.display());
        }
    }
}

/// On other targets the 16-bit `setuid(2)` or a missing system call would do something else than the library says. Without
/// its modules, the crate has no other error there.
#[test]
fn other_targets_are_refused_with_one_sentence() {
    let supported = r#"all(target_os = "linux", target_pointer_width = "64")"#;
    let text = read("src/lib.rs");
    let refusal = format!("#[cfg(not({supported}))]\ncompile_error!(\"Forklore builds only for 64-bit Linux, ");
    assert!(text.contains(&refusal), "src/lib.rs refuses other targets");
    let lines: Vec<&str> = text.lines().collect();
    let items = ["mod ", "pub mod ", "pub use "];
    for pair in lines.windows(2).filter(|pair| items.iter().any(|item| pair[1].starts_with(item))) {
        assert_eq!(pair[0], format!("#[cfg({supported})]"), "before {}", pair[1]);
    }
}

/// A new major version of these crates would otherwise be one of the library, too.
#[test]
fn no_type_of_nix_or_libc_is_public() {
    for path in files("src", "rs") {
        let found = surface::declarations_that_name(&["nix", "libc"], &read(&path));
        assert!(found.is_empty(), "{}:\n{}", path.display(), found.join("\n"));
    }
}

#[test]
fn every_file_is_in_the_layout() {
    let layout = [
        ".cargo",
        ".ci",
        ".gitignore",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "benches",
        "book",
        "clippy.toml",
        "fuzz",
        "justfile",
        "labs",
        "rustfmt.toml",
        "src",
        "tests",
        "tools",
    ];
    for entry in entries(".") {
        assert!(layout.contains(&entry.as_str()), "{entry} is not in the layout: see README.md");
    }
    let mut names = BTreeMap::new();
    for directory in ["src", "tools", "labs", "tests", "benches"] {
        for path in files(directory, "rs") {
            let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
            names.insert(path, stem);
        }
    }
    for (path, stem) in names {
        let vague = ["manager", "helper", "helpers", "util", "utils", "common", "misc"];
        assert!(!vague.contains(&stem.as_str()), "{}: the name says nothing", path.display());
    }
}

fn table_of_labs() -> String {
    let row = |lab: &Lab| {
        let Lab { name, title, summary, minutes, .. } = lab;
        let needs = if lab.needs.is_empty() { "–".to_owned() } else { lab.needs.join(", ") };
        format!("| [{}](labs/{name}) | **{title}**: {summary} | {minutes} | {needs} |\n", lab.number())
    };
    let rows: String = labs().iter().map(row).collect();
    format!("| lab | what it shows | minutes | needs |\n|---|---|---|---|\n{rows}")
}

/// The README's table of labs and its transcript come from the labs themselves.
#[test]
fn the_readme_shows_every_lab_and_a_real_transcript() {
    let transcript = read("labs/01-spawn-piping/expected.txt");
    let transcript = format!("```text\n$ cargo lab 01\n{transcript}```\n");
    let mut expected = read("README.md");
    for (name, generated) in [("labs", table_of_labs()), ("transcript", transcript)] {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let place = expected.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
        let (before, after) = place.unwrap_or_else(|| panic!("README.md has {begin} and {end}"));
        expected = format!("{before}{begin}{generated}{end}{after}");
    }
    let assert = Assert::new().action_env("SNAPSHOTS").normalize_paths(false);
    assert.eq(expected, Data::read_from(&root().join("README.md"), None));
}

#[test]
fn every_link_in_the_documents_has_a_target() {
    for document in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        for link in read(document).split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            let elsewhere = target.is_empty() || target.contains("://");
            assert!(elsewhere || root().join(target).exists(), "{document} links to {target}, which does not exist");
        }
    }
}
