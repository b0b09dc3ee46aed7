//! What a new process is asked to be, and which step towards it can fail.

use std::ffi::CString;
use std::os::fd::{BorrowedFd, RawFd};

use nix::errno::Errno;

/// What to start, and how. Plain data: everything that needs memory is prepared here, since the child may not allocate.
#[derive(Debug, Default)]
pub struct Request<'fd> {
    /// The paths to execute, tried in this order as execvp(3) would.
    pub candidates: Vec<CString>,
    /// The argument list, the program's own name first.
    pub arguments: Vec<CString>,
    /// The environment, each entry `NAME=value`.
    pub environment: Vec<CString>,
    /// The working directory; none: the parent's.
    pub directory: Option<CString>,
    /// Each descriptor with the number that it has in the child. All others above 2 are closed there by `execve(2)`; of
    /// 0, 1 and 2 those not named are the parent's.
    pub descriptors: Vec<(BorrowedFd<'fd>, RawFd)>,
    /// Which session and process group the child belongs to.
    pub group: Group,
    /// The user to become, without supplementary groups.
    pub uid: Option<libc::uid_t>,
    /// The group to become, without supplementary groups.
    pub gid: Option<libc::gid_t>,
    /// The signal that the kernel sends to the child when the **thread** that started it ends (`PR_SET_PDEATHSIG`, prctl(2)).
    pub parent_death_signal: Option<libc::c_int>,
}

/// Which session and process group a child belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Group {
    /// Its parent's.
    #[default]
    Inherited,
    /// A process group of its own in its parent's session: `setpgid(0, 0)`.
    Own,
    /// A session of its own, without a terminal: `setsid()`.
    Session,
}

/// Why no process was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// What failed.
    pub step: Step,
    /// The error of that system call.
    pub errno: Errno,
}

/// The steps of a start, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `clone(2)`: no process could be made.
    Clone,
    /// `setsid(2)` or `setpgid(2)`.
    Group,
    /// `fcntl(2)` or `dup2(2)`: a descriptor could not be placed.
    Descriptors,
    /// `chdir(2)`.
    Directory,
    /// `setgid(2)`.
    Gid,
    /// `setuid(2)`.
    Uid,
    /// `prctl(2)`; `ESRCH`: the parent had died already.
    ParentDeathSignal,
    /// `execve(2)`, for every candidate.
    Execute,
}
