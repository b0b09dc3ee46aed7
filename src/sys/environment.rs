//! The environment is one table for the whole process, without a lock that all code takes.
//!
//! `getenv(3)` returns pointers into it, and C code (the resolver, the time zone) calls it from any thread. A change at
//! that moment invalidates the pointers, which is why the standard library's `remove_var` is unsafe.
#![allow(unsafe_code)]

use std::fs;

/// Removes variables from this process's environment if the calling thread is the only one. Returns whether it was.
///
/// ```c
/// int unsetenv(const char *name);   // unsetenv(3), MT-Unsafe const:env
/// ```
pub(crate) fn remove(names: &[&str]) -> bool {
    let alone = fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1);
    if alone {
        for name in names {
            // SAFETY: No other thread exists, so none uses the environment, and only this thread could start one.
            unsafe { std::env::remove_var(name) };
        }
    }
    alone
}
