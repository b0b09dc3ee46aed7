//! What the report makes of a small sample of results: `tests/sample`, beside this file.
//!
//! `SNAPSHOTS=overwrite` renews what is expected.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::assert::Assert;
use assert_cmd::cargo_bin_cmd;
use predicates::str::contains;
use snapbox::Data;
use tempfile::TempDir;

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("report/tests").join(name)
}

fn report(results: &Path, out: &Path, more: &[&str]) -> Assert {
    cargo_bin_cmd!("report").arg("--results").arg(results).arg("--out").arg(out).args(more).assert()
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn expect(found: String, file: &str) {
    let assert = snapbox::Assert::new().action_env("SNAPSHOTS").normalize_paths(false);
    assert.eq(found, Data::read_from(&here(file), None));
}

#[test]
fn the_sample_makes_the_expected_tables() {
    let out = folder();
    report(&here("sample"), out.path(), &[]).success();
    expect(fs::read_to_string(out.path().join("report.md")).expect("a report"), "expected.md");
}

#[test]
fn who_was_not_installed_is_named() {
    let out = folder();
    report(&here("sample"), out.path(), &[]).success();
    let text = fs::read_to_string(out.path().join("report.md")).expect("a report");
    assert!(text.contains("Left out: nginx: nginx is not installed; pm2: pm2-runtime is not installed."), "{text}");
    assert!(text.lines().any(|line| line.contains("| nginx: nginx is not installed |") && line.ends_with("| – |")));
}

/// Every picture that the report shows is there, has a name at every line, and has no colour that a dark page would swallow.
#[test]
fn the_charts_are_there_and_have_names() {
    let out = folder();
    report(&here("sample"), out.path(), &[]).success();
    let text = fs::read_to_string(out.path().join("report.md")).expect("a report");
    let names: Vec<_> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(names.contains(&"fork-cost.svg") && names.contains(&"serving.svg"), "{names:?}");
    for name in names {
        let svg = fs::read_to_string(out.path().join(name)).expect(name);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && svg.contains("<title>"), "{name}");
        assert!(!svg.contains("#000000") && !svg.contains("#FFFFFF"), "{name}");
    }
    let fork = fs::read_to_string(out.path().join("fork-cost.svg")).expect("a chart");
    for name in ["ours, fork to first message", "node, fork to first message", "1024 MiB"] {
        assert!(fork.contains(&format!("\n{name}\n")), "{name}: {fork}");
    }
}

#[test]
fn a_run_is_laid_over_another_one() {
    let (first, second) = (folder(), folder());
    report(&here("sample"), first.path(), &[]).success();
    let over = first.path().join("results.json");
    report(&here("sample"), second.path(), &["--over", &over.to_string_lossy()]).success();
    let text = fs::read_to_string(second.path().join("report.md")).expect("a report");
    // The spaces and dashes at which no line ends, as any others.
    let text = text.replace('\u{a0}', " ").replace('\u{2060}', "");
    assert!(text.contains("135 k/s (90.0 k/s–180 k/s); before 135 k/s (90.0 k/s–180 k/s)"), "{text}");
}

#[test]
fn a_document_gets_its_table() {
    let out = folder();
    let readme = out.path().join("README.md");
    fs::write(&readme, "before\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nafter\n").expect("written");
    report(&here("sample"), out.path(), &["--readme", &readme.to_string_lossy()]).success();
    expect(fs::read_to_string(&readme).expect("a document"), "expected-readme.md");
}

#[test]
fn without_results_it_says_so() {
    let (none, out) = (folder(), folder());
    report(none.path(), out.path(), &[]).failure().stderr(contains("nothing was measured"));
}
