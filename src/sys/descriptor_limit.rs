//! Any process can raise its soft limit of descriptors to the hard one, and `execve(2)` keeps the limit.
//!
//! Systems keep the soft limit at 1024 for programs that use `select(2)`, which fails beyond it. So a child gets the old
//! limit back. Node raises its limit too, and its children get the old one back.

use std::io;
use std::sync::{Mutex, PoisonError};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The soft limit before and after [`raise`], once it has changed something.
static RAISED: Mutex<Option<(u64, u64)>> = Mutex::new(None);

/// Raises this process's soft limit of descriptors to its hard one. Children that this library starts afterwards get
/// the old one back, unless the limit is changed again by other code. It can be called again.
///
/// ```c
/// int setrlimit(RLIMIT_NOFILE, const struct rlimit *rlim);   // getrlimit(2)
/// ```
///
/// # Errors
///
/// `EPERM` when the hard limit exceeds `/proc/sys/fs/nr_open`, which was lowered.
pub fn raise() -> io::Result<()> {
    let mut raised = RAISED.lock().unwrap_or_else(PoisonError::into_inner);
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
        *raised = Some((soft, hard));
    }
    Ok(())
}

/// Returns the limits to set in a child; `None` when it is to have this process's.
pub(super) fn of_children() -> Option<libc::rlimit> {
    let (before, after) = (*RAISED.lock().unwrap_or_else(PoisonError::into_inner))?;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    (soft == after).then_some(libc::rlimit { rlim_cur: before, rlim_max: hard })
}
