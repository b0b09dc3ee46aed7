//! A workspace made for tests. The repository's tools find it by `CARGO_MANIFEST_DIR`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program;

const MANIFEST: &str = r#"
[package]
name = "lab-NAME"
version = "0.0.0"
edition = "2024"

[package.metadata.lab]
title = "Title of NAME"
minutes = 3
summary = "What NAME shows"
needs = []
trace = ["clone", "clone3", "fork", "vfork", "execve", "wait4", "exit_group", "dup2", "read", "write"]

[package.metadata.lab.prediction]
question = "What will NAME say?"
choices = ["nothing", "two facts", "three facts"]
answer = 2
because = "It was written that way."
node.because = "The original was written that way."
"#;

/// A workspace in a temporary directory.
#[derive(Debug)]
pub struct Workspace(tempfile::TempDir);

impl Workspace {
    /// Makes a workspace with these labs: the name and `main.rs` of each.
    pub fn new(labs: &[(&str, &str)]) -> Workspace {
        let workspace = Workspace(tempfile::tempdir().expect("a temporary directory"));
        workspace.write("Cargo.toml", "[workspace]\nmembers = [\"labs/*\"]\nresolver = \"3\"\n");
        workspace.write("tools/lab/Cargo.toml", "");
        for (name, main) in labs {
            workspace.write(&format!("labs/{name}/Cargo.toml"), &MANIFEST.replace("NAME", name));
            workspace.write(&format!("labs/{name}/src/main.rs"), main);
        }
        workspace
    }

    /// Returns a path in the workspace.
    pub fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// Writes a file, and makes the directories that it needs.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    /// Prepares the repository's tool `name` for this workspace.
    pub fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        let own = self.path("tools").join(name);
        command.env("CARGO_MANIFEST_DIR", own).env("CARGO_TARGET_DIR", self.path("target"));
        command
    }
}
