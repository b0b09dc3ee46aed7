//! What to start, and the steps of a start.

use std::ffi::CString;
use std::os::fd::{BorrowedFd, RawFd};

use nix::errno::Errno;

/// What to start, and how. Plain data that owns all its strings, since the child may not allocate.
#[derive(Debug, Default)]
pub(crate) struct Request<'fd> {
    /// The paths to execute, tried in this order like execvp(3).
    pub(crate) candidates: Vec<CString>,
    /// The argument list, the program's own name first.
    pub(crate) arguments: Vec<CString>,
    /// The environment, each entry `NAME=value`.
    pub(crate) environment: Vec<CString>,
    /// The working directory. Default: the parent's.
    pub(crate) directory: Option<CString>,
    /// Each descriptor with its number in the child. Defaults: the parent's for 0, 1 and 2, closed above.
    pub(crate) descriptors: Vec<(BorrowedFd<'fd>, RawFd)>,
    /// The session and process group of the child.
    pub(crate) group: Group,
    /// The user of the child, without supplementary groups.
    pub(crate) uid: Option<libc::uid_t>,
    /// The group of the child, without supplementary groups.
    pub(crate) gid: Option<libc::gid_t>,
    /// The signal that the child gets when the **thread** that started it ends (`PR_SET_PDEATHSIG`, prctl(2)).
    pub(crate) parent_death_signal: Option<libc::c_int>,
}

/// The session and process group of a child.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Group {
    /// Its parent's.
    #[default]
    Inherited,
    /// A new process group in its parent's session: `setpgid(0, 0)`.
    Own,
    /// A new session without a terminal: `setsid()`.
    Session,
}

/// Why no process was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The step that failed.
    pub(crate) step: Step,
    /// The error of its system call.
    pub(crate) errno: Errno,
}

/// The steps of a start, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// `clone(2)`.
    Clone,
    /// `setsid(2)` or `setpgid(2)`.
    Group,
    /// `fcntl(2)`, `dup2(2)` or `prlimit(2)`, for a descriptor or the limit of descriptors.
    Descriptors,
    /// `chdir(2)`.
    Directory,
    /// `setgid(2)`.
    Gid,
    /// `setuid(2)`.
    Uid,
    /// `prctl(2)`; `ESRCH` when the parent had already died.
    ParentDeathSignal,
    /// `execve(2)`, for every candidate.
    Execute,
}
