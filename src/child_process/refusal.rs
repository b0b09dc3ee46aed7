//! Why a start failed, in more detail than an error number.
//!
//! The kernel returns `ENOENT` for a missing program, a missing interpreter and a missing working directory alike, and
//! Node reports it with the program's name each time. The failed step tells some of them apart; for the rest this looks
//! at the file afterwards. If the file has changed meanwhile, only the message is worse.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno as Known;
use nix::unistd::{AccessFlags, access};

use crate::error::{Errno, Error, ErrorKind};
use crate::sys::spawn::{Failure, Request, Step};

/// The bytes of a file's first line that the kernel reads (`BINPRM_BUF_SIZE`, execve(2)).
const FIRST_LINE: u64 = 256;

/// The start that failed, as far as a message needs it.
pub(super) struct Attempt<'a> {
    pub(super) program: &'a OsStr,
    pub(super) candidates: &'a [OsString],
    pub(super) path: Option<&'a OsStr>,
    pub(super) directory: Option<&'a Path>,
}

impl Attempt<'_> {
    /// Returns the error to report. The first rule that matches applies:
    ///
    /// 1. the working directory could not be entered: that directory;
    /// 2. `E2BIG`: the length of arguments and environment;
    /// 3. `ENOENT`, and no candidate exists: the program was not found;
    /// 4. `ENOENT`, and one exists: the interpreter that it names was not found;
    /// 5. `EACCES`: a directory, or a file without permission to execute;
    /// 6. anything else: the kernel's error, with the step that failed.
    pub(super) fn explain(&self, failure: Failure, request: &Request<'_>) -> Error {
        let Failure { step, errno } = failure;
        let subject = self.program.to_string_lossy().into_owned();
        let operation = match step {
            Step::Clone | Step::Execute | Step::Directory => "spawn",
            Step::Group => "spawn (set the process group or session of)",
            Step::Descriptors => "spawn (place the descriptors of)",
            Step::Gid => "spawn (set the group id of)",
            Step::Uid => "spawn (set the user id of)",
            Step::ParentDeathSignal => "spawn (set the parent-death signal of)",
        };
        let kind = match (step, errno) {
            (Step::Directory, errno) => {
                let path = self.directory.unwrap_or(Path::new(".")).display().to_string();
                Some(ErrorKind::WorkingDirectory { path, errno: Errno::of(errno) })
            }
            (Step::Execute, Known::E2BIG) => Some(too_long(request)),
            (Step::Execute, Known::ENOENT) => Some(self.missing()),
            (Step::Execute, Known::EACCES) => Some(self.not_executable()),
            _ => None,
        };
        match kind {
            Some(kind) => Error::new(operation, subject, kind).caused_by(errno.into()),
            None => Error::system(operation, subject, errno),
        }
    }

    /// Resolves the candidates from the child's working directory.
    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let directory = self.directory.unwrap_or(Path::new(""));
        self.candidates.iter().map(move |candidate| directory.join(candidate))
    }

    fn missing(&self) -> ErrorKind {
        match self.files().find(|file| file.is_file()) {
            Some(file) => ErrorKind::InterpreterNotFound { interpreter: interpreter(&file) },
            None => {
                let by_name = !self.program.as_bytes().contains(&b'/');
                let searched = || self.path.map_or("/bin:/usr/bin".into(), OsStr::to_string_lossy).into_owned();
                ErrorKind::ProgramNotFound { searched: by_name.then(searched) }
            }
        }
    }

    fn not_executable(&self) -> ErrorKind {
        let name = |file: &Path| file.display().to_string();
        let executable = |file: &Path| file.is_file() && access(file, AccessFlags::X_OK).is_ok();
        if let Some(file) = self.files().find(|file| file.is_file()) {
            let forbidden = interpreter(&file).filter(|interpreter| !executable(Path::new(interpreter)));
            return match forbidden {
                _ if !executable(&file) => ErrorKind::NotExecutable { file: name(&file) },
                Some(interpreter) => ErrorKind::NotExecutable { file: interpreter },
                // The file system is mounted noexec.
                None => ErrorKind::System(Errno::of(Known::EACCES)),
            };
        }
        match self.files().find(|file| file.is_dir()) {
            Some(directory) => ErrorKind::IsDirectory { file: name(&directory) },
            // A directory of the path may not be searched.
            None => ErrorKind::System(Errno::of(Known::EACCES)),
        }
    }
}

/// Returns the program in a script's first line: `#!`, blanks, a path, an optional argument.
fn interpreter(file: &Path) -> Option<String> {
    let mut head = Vec::new();
    File::open(file).ok()?.take(FIRST_LINE).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let path = line.trim_ascii_start().split(|byte| matches!(byte, b' ' | b'\t')).next()?;
    Some(String::from_utf8_lossy(path).into_owned())
}

fn too_long(request: &Request<'_>) -> ErrorKind {
    let lengths =
        || request.arguments.iter().chain(&request.environment).map(|s: &CString| s.as_bytes_with_nul().len());
    ErrorKind::ArgumentsTooLong { bytes: lengths().sum(), longest: lengths().max().unwrap_or(0) }
}
