//! A stack needs a guard page: what overflows it would otherwise silently overwrite other memory.
#![allow(unsafe_code)]

use std::num::NonZeroUsize;
use std::ptr::NonNull;

use libc::c_void;
use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

/// The usable bytes, as in glibc's posix_spawn. The child's calls between clone and execve are shallow.
const USABLE: usize = 32 * 1024;

/// The bytes below them that no access is allowed to: whole pages, whichever of 4, 16 and 64 KiB is the page size.
const GUARD: usize = 64 * 1024;

const LENGTH: NonZeroUsize = NonZeroUsize::new(GUARD + USABLE).expect("not zero");

/// The stack of a child between `clone(2)` and `execve(2)`. A child that overflows it ends by SIGSEGV; its parent, whose
/// memory it shares, goes on unharmed. (glibc's posix_spawn has no guard page. On the heap, as in vfork's users, there
/// would be none either.)
#[derive(Debug)]
pub(super) struct Stack(NonNull<c_void>);

impl Stack {
    /// Maps a stack.
    ///
    /// ```c
    /// void *mmap(NULL, size_t length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);   // mmap(2)
    /// int mprotect(void *addr, size_t len, PROT_NONE);   // mprotect(2)
    /// ```
    ///
    /// # Errors
    ///
    /// `ENOMEM` when there is no memory, or the process has too many mappings.
    pub(super) fn new() -> Result<Stack, Errno> {
        let (access, flags) =
            (ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_PRIVATE | MapFlags::MAP_STACK);
        // SAFETY: A new mapping, at an address that the kernel chooses; nothing else refers to it.
        let stack = Stack(unsafe { mmap_anonymous(None, LENGTH, access, flags) }?);
        // SAFETY: The first part of the mapping, which is aligned to pages, and which nothing has used yet.
        unsafe { mprotect(stack.0, GUARD, ProtFlags::PROT_NONE) }?;
        Ok(stack)
    }

    /// Returns its end, where it begins to grow downwards; it is aligned to 16 bytes.
    pub(super) fn top(&self) -> *mut c_void {
        // SAFETY: The end of the mapping, whose length this is.
        unsafe { self.0.as_ptr().byte_add(LENGTH.get()) }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: The whole mapping. Its owner drops it when no process uses it any more.
        let unmapped = unsafe { munmap(self.0, LENGTH.get()) };
        debug_assert_eq!(unmapped, Ok(()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_the_stack_nothing_can_be_written() {
        let stack = Stack::new().expect("memory");
        let lowest = stack.top() as usize - USABLE;
        let maps = std::fs::read_to_string("/proc/self/maps").expect("/proc");
        let permissions = |address: usize| {
            maps.lines().find_map(|line| {
                let (range, rest) = line.split_once(' ')?;
                let (start, end) = range.split_once('-')?;
                let number = |text| usize::from_str_radix(text, 16).ok();
                (number(start)?..number(end)?).contains(&address).then(|| rest[..4].to_owned())
            })
        };
        assert_eq!(permissions(lowest).as_deref(), Some("rw-p"));
        assert_eq!(permissions(lowest - 1).as_deref(), Some("---p"));
        assert_eq!(permissions(lowest - GUARD).as_deref(), Some("---p"));
    }
}
