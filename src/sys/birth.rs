//! What a child does between `clone(2)` and `execve(2)`.
//!
//! It runs in its parent's memory while the parent's thread stands still, and other threads of the parent run on: one of them may
//! hold the allocator's lock for ever, as the child sees it. So it only makes system calls, on memory prepared by [`Plan::new`],
//! and takes no lock, allocates nothing and never panics (signal-safety(7) is the list of what is allowed).
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, RawFd};
use std::ptr;

use libc::{c_char, c_int, c_void};
use nix::errno::Errno;

use super::request::{Failure, Group, Request, Step};

/// The highest signal number of Linux.
const LAST_SIGNAL: c_int = 64;

/// A request in the shape that system calls take.
pub(super) struct Plan<'a> {
    request: &'a Request<'a>,
    candidates: Vec<*const c_char>,
    arguments: Vec<*const c_char>,
    environment: Vec<*const c_char>,
    /// The source and the target number of each descriptor.
    placements: Vec<(RawFd, RawFd)>,
    /// Above every target: where sources are moved, out of the way.
    above: RawFd,
    parent: libc::pid_t,
}

/// What the child leaves in its parent's memory: the step and the error that stopped it, if one did.
#[derive(Default)]
pub(super) struct Report(Option<Failure>);

impl Report {
    pub(super) fn failure(&self) -> Option<Failure> {
        // SAFETY: A valid reference. The child wrote here behind the compiler's back; a volatile read looks again.
        unsafe { ptr::read_volatile(&raw const self.0) }
    }
}

/// What [`begin`] is given.
pub(super) struct Birth<'a> {
    pub(super) plan: &'a mut Plan<'a>,
    pub(super) report: &'a mut Report,
}

impl<'a> Plan<'a> {
    /// `None` when there is nothing to execute.
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
            // The final NULL, and room for what `run_by_shell` puts before them.
            arguments: pointers(&request.arguments, 2),
            environment: pointers(&request.environment, 1),
            placements: request.descriptors.iter().map(|(fd, target)| (fd.as_raw_fd(), *target)).collect(),
            above: targets.max().unwrap_or(2).max(2) + 1,
            parent: nix::unistd::getpid().as_raw(),
        })
    }
}

/// The child's first function; `birth` points to a [`Birth`].
pub(super) extern "C" fn begin(birth: *mut c_void) -> c_int {
    // SAFETY: spawn passes a pointer to a Birth that outlives us, and stands still while we use it.
    let birth = unsafe { &mut *birth.cast::<Birth<'_>>() };
    // Each answer is a failure: when there is none, execve does not return.
    let failure = prepare(birth.plan).and_then(|()| execute(birth.plan)).err();
    // SAFETY: A valid reference; volatile for the same reason as the read in `Report::failure`.
    unsafe { ptr::write_volatile(&raw mut birth.report.0, failure) };
    // SAFETY: Ends this process alone: no atexit function, no buffer of the parent's is flushed.
    unsafe { libc::_exit(127) }
}

/// Everything before execve, in the order in which Node's children do it.
fn prepare(plan: &mut Plan<'_>) -> Result<(), Failure> {
    let request = plan.request;
    default_signals();
    match request.group {
        Group::Inherited => {}
        // SAFETY: Takes two numbers, and concerns this process alone.
        Group::Own => check(Step::Group, unsafe { libc::setpgid(0, 0) })?,
        // SAFETY: Takes nothing, and concerns this process alone.
        Group::Session => check(Step::Group, unsafe { libc::setsid() })?,
    }
    place_descriptors(plan)?;
    if let Some(directory) = &request.directory {
        // SAFETY: A NUL-terminated string.
        check(Step::Directory, unsafe { libc::chdir(directory.as_ptr()) })?;
    }
    become_user(request)?;
    if let Some(signal) = request.parent_death_signal {
        // After the change of user, which clears it.
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
    // SAFETY: The set is initialised; the old one is not asked for.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, empty.as_ptr(), ptr::null_mut()) };
    Ok(())
}

/// Every signal back to its default. `CLONE_CLEAR_SIGHAND` would leave the ignored ones ignored, SIGPIPE in a Rust program among
/// them. The table is this process's own (no `CLONE_SIGHAND`).
fn default_signals() {
    // The kernel's own structure is at most this long; all zeroes is SIG_DFL, with no flags and an empty mask. glibc's sigaction()
    // would spare the two signals that it uses itself, which may have been inherited as ignored.
    const DEFAULT: [usize; 8] = [0; 8];
    const MASK_BYTES: usize = 8;
    for signal in 1..=LAST_SIGNAL {
        // SAFETY: Reads from DEFAULT, writes nothing. SIGKILL and SIGSTOP are refused, and are at their default anyway.
        unsafe {
            libc::syscall(libc::SYS_rt_sigaction, signal, DEFAULT.as_ptr(), ptr::null_mut::<c_void>(), MASK_BYTES)
        };
    }
}

// ANCHOR: place
/// Puts every descriptor at its number, whatever stands there: first all of them out of the way, then each to its place.
fn place_descriptors(plan: &mut Plan<'_>) -> Result<(), Failure> {
    // Nothing above stderr survives the exec but what is placed, even if somebody forgot close-on-exec. Before kernel 5.11 this
    // answers EINVAL, and such a descriptor is inherited as it would be in Node.
    // SAFETY: Changes flags of this process's own descriptor table (no CLONE_FILES).
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    for (source, _) in &mut plan.placements {
        // SAFETY: The number comes from a borrowed descriptor, which is open in our copy of the table, too.
        let moved = unsafe { libc::fcntl(*source, libc::F_DUPFD_CLOEXEC, plan.above) };
        check(Step::Descriptors, moved)?;
        *source = moved;
    }
    for (moved, target) in &plan.placements {
        // dup2 clears close-on-exec; source and target differ, since every source is above every target now.
        // SAFETY: Two numbers of our own table.
        check(Step::Descriptors, unsafe { libc::dup2(*moved, *target) })?;
    }
    Ok(())
}
// ANCHOR_END: place

/// Drops the supplementary groups and changes group and user, by the bare system calls: glibc's functions would try to tell every
/// thread of the process, and those are our parent's.
fn become_user(request: &Request<'_>) -> Result<(), Failure> {
    if request.uid.is_none() && request.gid.is_none() {
        return Ok(());
    }
    // Without privilege this fails, and so will what follows unless it changes nothing: as in Node, that one decides.
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
/// 1. a file that is not there (`ENOENT`, `ENOTDIR`) sends us to the next candidate;
/// 2. so does one that may not be executed (`EACCES`), but if nothing else is found, that is the answer; else it is the last one's;
/// 3. a file that is no known kind of program (`ENOEXEC`) is a shell script;
/// 4. any other error is the answer at once.
fn execute(plan: &mut Plan<'_>) -> Result<(), Failure> {
    let mut answer = Errno::ENOENT;
    for path in &plan.candidates {
        match run(*path, &plan.arguments, &plan.environment) {
            errno @ (Errno::ENOENT | Errno::ENOTDIR) => {
                if answer != Errno::EACCES {
                    answer = errno;
                }
            }
            Errno::EACCES => answer = Errno::EACCES,
            Errno::ENOEXEC => {
                answer = run_by_shell(*path, &mut plan.arguments, &plan.environment);
                break;
            }
            errno => {
                answer = errno;
                break;
            }
        }
    }
    Err(Failure { step: Step::Execute, errno: answer })
}
// ANCHOR_END: execute

/// `execve(2)`, which returns only when it failed.
fn run(path: *const c_char, arguments: &[*const c_char], environment: &[*const c_char]) -> Errno {
    // SAFETY: A NUL-terminated path and two NULL-terminated lists of such strings, all of which the request owns.
    unsafe { libc::execve(path, arguments.as_ptr(), environment.as_ptr()) };
    Errno::last()
}

/// Executes `/bin/sh path arguments…`: the program's own name gives way to these two.
fn run_by_shell(path: *const c_char, arguments: &mut [*const c_char], environment: &[*const c_char]) -> Errno {
    const SHELL: &CStr = c"/bin/sh";
    let last = arguments.len() - 1;
    arguments.copy_within(1..last, 2);
    arguments[0] = SHELL.as_ptr();
    arguments[1] = path;
    run(SHELL.as_ptr(), arguments, environment)
}

fn check(step: Step, answer: c_int) -> Result<(), Failure> {
    if answer == -1 { Err(Failure { step, errno: Errno::last() }) } else { Ok(()) }
}
