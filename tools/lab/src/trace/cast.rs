//! Who is who: the names of the processes of a run.

use std::collections::HashMap;

/// The processes of the run.
#[derive(Debug, Default)]
pub(super) struct Cast {
    /// The name under which a process spoke first. What it says under another name later, it relays.
    voices: HashMap<u32, String>,
    /// The process that each further thread belongs to.
    threads: HashMap<u32, u32>,
}

impl Cast {
    /// A process speaks; the first time under its own name.
    pub(super) fn speaks(&mut self, pid: u32, voice: &str) {
        self.voices.entry(pid).or_insert_with(|| voice.to_owned());
    }

    pub(super) fn starts_thread(&mut self, process: u32, thread: u32) {
        self.threads.insert(thread, process);
    }

    /// The process that a thread is of.
    pub(super) fn process(&self, tid: u32) -> u32 {
        self.threads.get(&tid).copied().unwrap_or(tid)
    }

    pub(super) fn voice(&self, pid: u32) -> Option<&str> {
        self.voices.get(&self.process(pid)).map(String::as_str)
    }

    /// The voice, or the pid of a process that has none.
    pub(super) fn name(&self, pid: u32) -> String {
        self.voice(pid).map_or_else(|| format!("pid {}", self.process(pid)), str::to_owned)
    }
}
