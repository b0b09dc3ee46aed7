//! One quiet `cargo build`. What it compiles besides the lab is told, since that takes its time: in a progress line on a terminal, elsewhere in
//! one line on stderr.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use serde::Deserialize;

use crate::catalogue::{Catalogue, Lab};
use crate::failure::{Ending, Failure};
use crate::program::{Program, Stream};
use crate::terminal::{Progress, colours_wanted};

/// What we read of cargo's messages.
#[derive(Debug, Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    /// It was compiled before, nothing was done.
    #[serde(default)]
    fresh: bool,
    executable: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Builds `lab` and says where its program is.
///
/// # Errors
///
/// Exit code 4 when it does not compile; the compiler has then said why.
pub(crate) fn lab(catalogue: &Catalogue, lab: &Lab) -> Result<PathBuf, Failure> {
    let package = lab.package();
    let colour = if io::stderr().is_terminal() && colours_wanted() { "always" } else { "never" };
    let cargo = Program::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .arguments(["build", "--quiet", "--package", &package, "--message-format=json-render-diagnostics"])
        .arguments(["--color", colour, "--manifest-path"])
        .arguments([catalogue.root.join("Cargo.toml")])
        .take_stdout()
        .take_stderr();

    let what = format!("compiling {package} and the crates that it uses, once");
    let mut progress = Progress::new();
    progress.show(&format!("building {package} …"));
    let (mut pending, mut diagnostics) = (Vec::new(), Vec::new());
    let (mut executable, mut compiled) = (None, 0_u32);
    let ended = cargo.run(|stream, bytes| match stream {
        Stream::Stderr => diagnostics.extend_from_slice(bytes),
        Stream::Stdout => {
            pending.extend_from_slice(bytes);
            while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = pending.drain(..=end).collect();
                let Ok(message) = serde_json::from_slice::<Message>(&line) else { continue };
                if message.reason != "compiler-artifact" {
                    continue;
                }
                let Some(target) = message.target else { continue };
                if target.name == package && target.kind.iter().any(|kind| kind == "bin") {
                    executable = message.executable;
                } else if !message.fresh {
                    compiled += 1;
                    let shown = progress.show(&format!("{what}: {compiled} done, the last one {}", target.name));
                    if !shown && compiled == 1 {
                        eprintln!("lab: {what}; this can take a minute");
                    }
                }
            }
        }
    });
    drop(progress);
    // Warnings too: whoever changes a lab wants to see them.
    let _ = io::stderr().write_all(&diagnostics);
    match (ended?, executable) {
        (Ending::SUCCESS, Some(executable)) => Ok(executable),
        (Ending::SUCCESS, None) => Err(Failure::build(format!("package {package} has no program called {package}"))),
        _ => Err(Failure::build(format!("{} does not compile; the messages above say why", lab.name))),
    }
}
