//! `cargo lab --compare`: what it says of two runs, and when it fails.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;

use assert_cmd::prelude::*;
use harness::workspace::Workspace;
use predicates::prelude::*;
use predicates::str::{contains, ends_with, starts_with};

use crate::made_up::{is_plain, lab_in};

pub(crate) fn equal(workspace: &Workspace) {
    let table = predicate::function(is_plain).and(ends_with("\n2 facts are equal.\n"));
    lab_in(workspace, &["90", "--compare"]).assert().success().stdout(table);
}

pub(crate) fn different(workspace: &Workspace) {
    let sentence = "lab: 1 of 2 facts not as expected: different \"size\"\n";
    lab_in(workspace, &["91", "--compare"]).assert().code(1).stdout(predicate::function(is_plain)).stderr(sentence);
    let size = r#"{"fact":"size","rust":"5","node":"4","verdict":"different"}"#.to_owned() + "\n";
    lab_in(workspace, &["91", "--compare", "--json"]).assert().code(1).stdout(ends_with(size));
}

pub(crate) fn declared(workspace: &Workspace) {
    let table = predicate::function(is_plain).and(contains("differs, as expected: it"));
    let table = table.and(ends_with("\n1 fact is equal, 1 differs as expected.\n"));
    lab_in(workspace, &["93", "--compare"]).assert().success().stdout(table);
    let verdict = r#""verdict":"differs, as expected","because":"it was written that way"}"#.to_owned() + "\n";
    lab_in(workspace, &["93", "--compare", "--json"]).assert().success().stdout(ends_with(verdict));
}

pub(crate) fn gone(workspace: &Workspace) {
    let sentence = "lab: 1 of 2 facts not as expected: not as declared \"size\"\n";
    lab_in(workspace, &["94", "--compare"]).assert().code(1).stderr(sentence);
}

pub(crate) fn another_node(workspace: &Workspace) {
    let node = workspace.path("another-node");
    let with_node = |options: &[&str]| {
        let mut command = lab_in(workspace, &[&["90", "--compare"], options].concat());
        command.env("FORKLORE_NODE", &node).assert()
    };
    let script = "#!/bin/sh\n[ \"$1\" != --version ] || { echo v99.1.2; exit; }\nexec node \"$@\"\n";
    workspace.write("another-node", script);
    let sentence = format!("lab: FORKLORE_NODE is {}: not an executable file\n", node.display());
    with_node(&[]).code(3).stdout("").stderr(sentence);

    set_permissions(&node, Permissions::from_mode(0o755)).expect("our file");
    with_node(&[]).success().stdout(contains(" Node 99.1.2 "));
    let versions = "{\"lab\":\"90-alpha-equal\",\"versions\":{\"node\":\"99.1.2\"}}\n";
    with_node(&["--json"]).success().stdout(starts_with(versions));
}
