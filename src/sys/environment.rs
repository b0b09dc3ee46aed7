//! The environment is one table for the whole process, without a lock that everybody takes.
//!
//! `getenv(3)` hands out pointers into it, and C code (the resolver, the time zone) calls it from any thread; changing the table at that
//! moment pulls it away from under them. That is why the standard library calls `remove_var` unsafe.
#![allow(unsafe_code)]

use std::fs;

/// Removes variables from this process's environment if that is sound: when the calling thread is the only one. Says whether it was.
///
/// ```c
/// int unsetenv(const char *name);   // unsetenv(3), MT-Unsafe const:env
/// ```
pub fn remove(names: &[&str]) -> bool {
    let alone = fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1);
    if alone {
        for name in names {
            // SAFETY: No other thread exists, so none reads or writes the environment; and none can come to exist during the call,
            // since only this thread could start it.
            unsafe { std::env::remove_var(name) };
        }
    }
    alone
}
