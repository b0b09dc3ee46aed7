//! A run under strace, as a recording.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use manifest::programs::Node;
use recording::{FORMAT, Header, Language, Places, Recording, strace_options};
use transcript::Record;

use crate::build;
use crate::catalogue::{Catalogue, Lab};
use crate::failure::{Ending, Failure};
use crate::options::{How, Options};
use crate::program::{Program, Stream};
use crate::run;
use crate::terminal::{self, Progress};

/// A recorded run.
pub(crate) struct Recorded {
    pub(crate) recording: Recording,
    /// What it wrote to stdout beside the transcript.
    pub(crate) printed: String,
    /// How it ended, or why it did not reach its end. What was recorded until then is there.
    pub(crate) ended: Result<Ending, Failure>,
}

/// Records the labs that the command line names, or all, in both languages, for the book.
pub(crate) fn renew(catalogue: &Catalogue, labs: &[&Lab], options: &Options) -> Result<Ending, Failure> {
    for lab in labs {
        for language in Language::ALL {
            run::require(lab, How::Trace(language))?;
            let recorded = record(catalogue, lab, language, options)?;
            match recorded.ended? {
                Ending::SUCCESS => {}
                ending => return Err(Failure::trouble(format!("{} in {language}", lab.name), ending)),
            }
            let path = format!("book/recorded/{}.{}.jsonl", lab.name, language.name());
            let text = recorded.recording.to_jsonl();
            fs::write(catalogue.root.join(&path), &text).map_err(|error| Failure::trouble(&path, error))?;
            terminal::print(&format!("{path}: {} KiB\n", text.len().div_ceil(1024)))?;
        }
    }
    Ok(Ending::SUCCESS)
}

/// Runs a lab under strace.
pub(crate) fn record(
    catalogue: &Catalogue,
    lab: &Lab,
    language: Language,
    options: &Options,
) -> Result<Recorded, Failure> {
    may_trace()?;
    let executable = build::lab(catalogue, lab)?;
    let node = if language == Language::Node || lab.needs.iter().any(|program| program == "node") {
        Some(Node::find().map_err(|error| Failure::missing(error.to_string()))?)
    } else {
        None
    };
    let (mut command, mut versions) = (vec![executable.clone()], BTreeMap::from([("linux".to_owned(), kernel())]));
    if let Some(node) = &node {
        versions.insert("node".to_owned(), node.version.clone());
        if language == Language::Node {
            command = vec![node.path.clone(), run::original(lab)?];
        }
    }
    let log = tempfile::NamedTempFile::new().map_err(|error| Failure::trouble("make a file for strace", error))?;
    let mut progress = Progress::new();
    progress.show("running it under strace …");
    let mut output = Vec::new();
    let ended = Program::new(run::find("strace")?)
        .arguments(strace_options(&lab.trace))
        .arguments(["-o"])
        .arguments([log.path()])
        .arguments(["--"])
        .arguments(command)
        .arguments(options.arguments(true))
        .environment("PATH", path(lab))
        .take_stdout()
        .stands_before_another()
        .run(|_, bytes| output.extend_from_slice(bytes));
    progress.show("reading what strace wrote …");
    let log = fs::read(log.path()).map_err(|error| Failure::trouble("read what strace wrote", error))?;
    let header = Header { format: FORMAT, lab: lab.name.clone(), language, versions };
    let places = places(&catalogue.root, &executable, node.as_ref());
    let recording = Recording::new(header, &String::from_utf8_lossy(&log), &lab.trace, &places);
    let output = String::from_utf8_lossy(&output);
    let printed = output.lines().filter(|line| Record::from_json(line).is_err());
    Ok(Recorded { recording, printed: printed.map(|line| format!("{line}\n")).collect(), ended })
}

/// The usual directories, and those of the programs that the lab needs: a search in other people's directories is not the lesson.
fn path(lab: &Lab) -> OsString {
    let programs = lab.needs.iter().filter_map(|program| manifest::programs::find(program).ok());
    let own = programs.filter_map(|program| Some(program.parent()?.to_owned()));
    let directories = ["/usr/bin", "/bin"].map(PathBuf::from).into_iter().chain(own);
    env::join_paths(directories).unwrap_or_else(|_| "/usr/bin:/bin".into())
}

/// What the directories of this machine are called in a recording.
fn places(root: &Path, executable: &Path, node: Option<&Node>) -> Places {
    let programs = executable.parent().map(|directory| (directory, "…"));
    let node = node.and_then(|node| node.path.parent()).filter(|directory| !directory.starts_with("/usr"));
    let home = env::home_dir().filter(|home| home.components().count() > 1);
    let all = programs.into_iter().chain([(root, "…/forklore")]).chain(node.map(|directory| (directory, "…")));
    let all = all.chain(home.as_deref().map(|home| (home, "…")));
    Places::new(all.map(|(place, name)| (place.display().to_string(), name)), &env::temp_dir().display().to_string())
}

/// The version of the kernel without what the distribution added: `6.18`.
fn kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let numbers = release.split(|c: char| !c.is_ascii_digit()).take(2);
    numbers.collect::<Vec<_>>().join(".")
}

/// Finds out by tracing `true`, since the reasons for a refusal are many: Yama, seccomp, a container without `CAP_SYS_PTRACE`.
fn may_trace() -> Result<(), Failure> {
    let mut complaint = Vec::new();
    let ending = Program::new("strace")
        .arguments(["-f", "-qq", "-e", "trace=none", "-e", "signal=none", "--", "true"])
        .take_stdout()
        .take_stderr()
        .run(|stream, bytes| {
            if stream == Stream::Stderr {
                complaint.extend_from_slice(bytes);
            }
        })?;
    if ending == Ending::SUCCESS {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&complaint);
    let reason = complaint.lines().next().unwrap_or("no reason given").trim_start_matches("strace: ").to_owned();
    Err(Failure::missing(format!("strace is installed but may not trace here, ptrace(2) is refused: {reason}")))
}
