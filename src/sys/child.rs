//! What a child does between `clone(2)` and `execve(2)`.
//!
//! It runs in its parent's memory. The parent's calling thread is stopped, but the others run on, and one of them may
//! hold the allocator's lock. So the child only makes system calls, on memory prepared by [`Plan::new`]: it takes no
//! lock, allocates nothing and never panics (signal-safety(7) lists what is allowed).
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, RawFd};
use std::ptr;

use libc::{c_char, c_int, c_void};
use nix::errno::Errno;

use super::descriptor_limit;
use super::request::{Failure, Group, Request, Step};

/// The highest signal number of Linux.
const LAST_SIGNAL: c_int = 64;

/// A request in the form that system calls take.
pub(super) struct Plan<'a> {
    request: &'a Request<'a>,
    candidates: Vec<*const c_char>,
    arguments: Vec<*const c_char>,
    environment: Vec<*const c_char>,
    /// The source and the target number of each descriptor.
    placements: Vec<(RawFd, RawFd)>,
    /// A number above every target. Sources are moved there first.
    above: RawFd,
    /// The limits of descriptors, if they are not this process's.
    limit: Option<libc::rlimit>,
    parent: libc::pid_t,
}

/// The step and the error that stopped the child, if one did. The child writes it to its parent's memory.
#[derive(Default)]
pub(super) struct Report(Option<Failure>);

impl Report {
    pub(super) fn failure(&self) -> Option<Failure> {
        // SAFETY: A valid reference. The compiler does not know that the child wrote here, hence the volatile read.
        unsafe { ptr::read_volatile(&raw const self.0) }
    }
}

/// The argument of [`child_main`].
pub(super) struct ChildArgs<'a> {
    pub(super) plan: &'a mut Plan<'a>,
    pub(super) report: &'a mut Report,
}

impl<'a> Plan<'a> {
    /// Prepares a request. `None` when it names nothing to execute.
    pub(super) fn new(request: &'a Request<'a>) -> Option<Plan<'a>> {
        if request.candidates.is_empty() || request.arguments.is_empty() {
            return None;
        }
        let pointers = |strings: &[CString], nulls: usize| {
            strings.iter().map(|s| s.as_ptr()).chain(std::iter::repeat_n(ptr::null(), nulls)).collect::<Vec<_>>()
        };
        let targets = request.descriptors.iter().map(|(_, target)| *target);
        Some(Plan {
            request,
            candidates: pointers(&request.candidates, 0),
            // The final NULL, and room for the extra argument of `run_by_shell`.
            arguments: pointers(&request.arguments, 2),
            environment: pointers(&request.environment, 1),
            placements: request.descriptors.iter().map(|(fd, target)| (fd.as_raw_fd(), *target)).collect(),
            above: targets.max().unwrap_or(2).max(2) + 1,
            limit: descriptor_limit::of_children(),
            parent: nix::unistd::getpid().as_raw(),
        })
    }
}

/// The child's first function. `args` points to a [`ChildArgs`].
pub(super) extern "C" fn child_main(args: *mut c_void) -> c_int {
    // SAFETY: spawn passes a pointer to ChildArgs, which outlives this function and which spawn does not use meanwhile.
    let args = unsafe { &mut *args.cast::<ChildArgs<'_>>() };
    // Returning means failure: a successful execve does not return.
    let failure = prepare(args.plan).and_then(|()| execute(args.plan)).err();
    // SAFETY: A valid reference; volatile for the same reason as the read in `Report::failure`.
    unsafe { ptr::write_volatile(&raw mut args.report.0, failure) };
    // SAFETY: Ends this process alone: runs no atexit function and flushes no buffer of the parent.
    unsafe { libc::_exit(127) }
}

/// Does everything before execve, in the order of Node's children.
fn prepare(plan: &mut Plan<'_>) -> Result<(), Failure> {
    let request = plan.request;
    default_signals();
    match request.group {
        Group::Inherited => {}
        // SAFETY: Takes two numbers and affects this process alone.
        Group::Own => check(Step::Group, unsafe { libc::setpgid(0, 0) })?,
        // SAFETY: Takes no argument and affects this process alone.
        Group::Session => check(Step::Group, unsafe { libc::setsid() })?,
    }
    place_descriptors(plan)?;
    if let Some(limit) = &plan.limit {
        // After the descriptors, whose numbers may be above it.
        let (this, no_old_one) = (0, ptr::null_mut::<libc::rlimit>());
        // SAFETY: The limit outlives the call; the old one is not requested.
        let set =
            unsafe { libc::syscall(libc::SYS_prlimit64, this, libc::RLIMIT_NOFILE, &raw const *limit, no_old_one) };
        check(Step::Descriptors, set as c_int)?;
    }
    if let Some(directory) = &request.directory {
        // SAFETY: A NUL-terminated string.
        check(Step::Directory, unsafe { libc::chdir(directory.as_ptr()) })?;
    }
    become_user(request)?;
    if let Some(signal) = request.parent_death_signal {
        // After the change of user, which clears this setting.
        // SAFETY: PR_SET_PDEATHSIG takes a number.
        check(Step::ParentDeathSignal, unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal) })?;
        // SAFETY: Cannot fail.
        if unsafe { libc::getppid() } != plan.parent {
            return Err(Failure { step: Step::ParentDeathSignal, errno: Errno::ESRCH });
        }
    }
    let mut empty = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: Initialises the set.
    unsafe { libc::sigemptyset(empty.as_mut_ptr()) };
    // SAFETY: The set is initialised; the old one is not requested.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, empty.as_ptr(), ptr::null_mut()) };
    Ok(())
}

/// Resets every signal to its default. `CLONE_CLEAR_SIGHAND` would leave ignored signals ignored, such as SIGPIPE in a
/// Rust program. The table of handlers is this process's own (no `CLONE_SIGHAND`).
fn default_signals() {
    // The kernel's own structure is at most this long; all zeroes is SIG_DFL with no flags and an empty mask. glibc's
    // sigaction() refuses the two signals that it uses itself, which may have been inherited as ignored.
    const DEFAULT: [usize; 8] = [0; 8];
    const MASK_BYTES: usize = 8;
    for signal in 1..=LAST_SIGNAL {
        // SAFETY: Reads DEFAULT, writes nothing. SIGKILL and SIGSTOP are refused and always have their default.
        unsafe {
            libc::syscall(libc::SYS_rt_sigaction, signal, DEFAULT.as_ptr(), ptr::null_mut::<c_void>(), MASK_BYTES)
        };
    }
}

// ANCHOR: place
/// Puts every descriptor at its number, whatever is open there: moves all above the targets, then each to its target.
fn place_descriptors(plan: &mut Plan<'_>) -> Result<(), Failure> {
    // Above stderr, only the placed descriptors survive the exec, even if code in the parent forgot close-on-exec.
    // Before kernel 5.11 this fails with EINVAL, and such a descriptor is inherited, as in Node.
    // SAFETY: Changes flags in this process's own descriptor table (no CLONE_FILES).
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    for (source, _) in &mut plan.placements {
        // SAFETY: The number comes from a borrowed descriptor, which is open in this copy of the table too.
        let moved = unsafe { libc::fcntl(*source, libc::F_DUPFD_CLOEXEC, plan.above) };
        check(Step::Descriptors, moved)?;
        *source = moved;
    }
    for (moved, target) in &plan.placements {
        // dup2 clears close-on-exec. Source and target differ: every source is above every target now.
        // SAFETY: Two numbers of this process's own table.
        check(Step::Descriptors, unsafe { libc::dup2(*moved, *target) })?;
    }
    Ok(())
}
// ANCHOR_END: place

/// Drops the supplementary groups and changes group and user, by raw system calls: glibc's functions would also change
/// every other thread of the process, and those are the parent's.
fn become_user(request: &Request<'_>) -> Result<(), Failure> {
    if request.uid.is_none() && request.gid.is_none() {
        return Ok(());
    }
    // Without privilege this fails. As in Node, only the calls below decide: they fail too, unless they change nothing.
    // SAFETY: An empty list.
    unsafe { libc::syscall(libc::SYS_setgroups, 0, ptr::null::<libc::gid_t>()) };
    if let Some(gid) = request.gid {
        // SAFETY: Takes a number.
        check(Step::Gid, unsafe { libc::syscall(libc::SYS_setgid, gid) } as c_int)?;
    }
    if let Some(uid) = request.uid {
        // SAFETY: Takes a number.
        check(Step::Uid, unsafe { libc::syscall(libc::SYS_setuid, uid) } as c_int)?;
    }
    Ok(())
}

// ANCHOR: execute
/// Tries each candidate until one is executed. The rules are execvp(3)'s:
///
/// 1. after a missing file (`ENOENT`, `ENOTDIR`) the next candidate is tried;
/// 2. after one that may not be executed (`EACCES`) too; if all fail, the result is then `EACCES`, else the last error;
/// 3. a file that is not in a known executable format (`ENOEXEC`) is run as a shell script;
/// 4. any other error ends the search.
fn execute(plan: &mut Plan<'_>) -> Result<(), Failure> {
    let mut result = Errno::ENOENT;
    for path in &plan.candidates {
        match run(*path, &plan.arguments, &plan.environment) {
            errno @ (Errno::ENOENT | Errno::ENOTDIR) => {
                if result != Errno::EACCES {
                    result = errno;
                }
            }
            Errno::EACCES => result = Errno::EACCES,
            Errno::ENOEXEC => {
                result = run_by_shell(*path, &mut plan.arguments, &plan.environment);
                break;
            }
            errno => {
                result = errno;
                break;
            }
        }
    }
    Err(Failure { step: Step::Execute, errno: result })
}
// ANCHOR_END: execute

/// Calls `execve(2)`, which returns only on failure.
fn run(path: *const c_char, arguments: &[*const c_char], environment: &[*const c_char]) -> Errno {
    // SAFETY: A NUL-terminated path and two NULL-terminated lists of such strings, all of which the request owns.
    unsafe { libc::execve(path, arguments.as_ptr(), environment.as_ptr()) };
    Errno::last()
}

/// Executes `/bin/sh path arguments…`: these two replace the program's own name.
fn run_by_shell(path: *const c_char, arguments: &mut [*const c_char], environment: &[*const c_char]) -> Errno {
    const SHELL: &CStr = c"/bin/sh";
    let last = arguments.len() - 1;
    arguments.copy_within(1..last, 2);
    arguments[0] = SHELL.as_ptr();
    arguments[1] = path;
    run(SHELL.as_ptr(), arguments, environment)
}

fn check(step: Step, result: c_int) -> Result<(), Failure> {
    if result == -1 { Err(Failure { step, errno: Errno::last() }) } else { Ok(()) }
}
