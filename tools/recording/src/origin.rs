//! What the calls before and after a call tell about it: where a descriptor came from before it was put in its place, and whether a program
//! that was not found is looked for elsewhere.

use std::collections::HashMap;

use crate::words::{kind, pair};
use crate::{Call, Event, What};

/// What the calls around a call tell about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Context {
    #[default]
    Nothing,
    /// An `execve` that failed, and the process's next call is another one.
    TriedAgain,
    /// A `dup2`: what it copies.
    Copied(Origin),
}

/// The descriptor that others are copies of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    number: String,
    /// What it is an end of, if the call that made it was seen.
    end: Option<End>,
    /// What it refers to. If this number refers to something else, it was closed and opened again meanwhile.
    is: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Reading,
    Writing,
    Socket,
}

/// What is known of a process's descriptors, by their numbers.
type Table = HashMap<String, Origin>;

/// Finds the context of every event.
pub(crate) fn contexts(events: &[Event]) -> Vec<Context> {
    let mut contexts = vec![Context::Nothing; events.len()];
    let mut tables: HashMap<u32, Table> = HashMap::new();
    let mut failed: HashMap<u32, usize> = HashMap::new();
    for (at, event) in events.iter().enumerate() {
        let call = match &event.what {
            What::Call(call) => call,
            What::Starts { starts } => {
                tables.insert(*starts, tables.get(&event.pid).cloned().unwrap_or_default());
                continue;
            }
            // The new program did not see what happened before it, nor does it have what was closed on exec.
            What::Program { .. } => {
                tables.remove(&event.pid);
                continue;
            }
            _ => continue,
        };
        if let Some(before) = failed.remove(&event.pid).filter(|_| call.executes()) {
            contexts[before] = Context::TriedAgain;
        }
        if call.error().is_none() {
            contexts[at] = follow(call, tables.entry(event.pid).or_default());
        } else if call.executes() {
            failed.insert(event.pid, at);
        }
    }
    contexts
}

/// Notes what a call that succeeded does to the descriptors of its process.
fn follow(call: &Call, table: &mut Table) -> Context {
    let (source, target) = (call.text(0), call.text(1));
    match call.call.as_str() {
        "pipe" | "pipe2" => ends(call, 0, [End::Reading, End::Writing], table),
        "socketpair" => ends(call, 3, [End::Socket, End::Socket], table),
        "dup" => copied(call, table),
        "fcntl" if target.starts_with("F_DUPFD") => copied(call, table),
        "dup2" | "dup3" if source != target => {
            let origin = origin(call, table);
            // From here on this number is the name by which the learner knows it.
            table.remove(target);
            return Context::Copied(origin);
        }
        _ => {}
    }
    Context::Nothing
}

/// Notes both ends that a call made.
fn ends(call: &Call, place: usize, kinds: [End; 2], table: &mut Table) {
    let Some((one, other)) = pair(call.text(place)) else { return };
    let descriptors = &call.arguments[place].descriptors;
    for (at, (number, kind)) in [one, other].into_iter().zip(kinds).enumerate() {
        let is = descriptors.get(at).map(|descriptor| descriptor.is.clone()).unwrap_or_default();
        table.insert(number.to_owned(), Origin { number: number.to_owned(), end: Some(kind), is });
    }
}

fn copied(call: &Call, table: &mut Table) {
    let origin = origin(call, table);
    table.insert(call.result.clone(), origin);
}

/// What a call's first argument is a copy of; itself, if it is no copy.
fn origin(call: &Call, table: &Table) -> Origin {
    let (number, is) = (call.text(0), call.is(0));
    let known = table.get(number).filter(|origin| origin.is == is);
    known.cloned().unwrap_or_else(|| Origin { number: number.to_owned(), end: None, is: is.to_owned() })
}

impl Origin {
    /// Says what it means that a copy of this, which stands at `source`, is put at `target`.
    pub(crate) fn words(&self, source: &str, target: &str) -> String {
        let number = &self.number;
        if number == target {
            return format!("descriptor {target} means again what it meant before: {source} kept that");
        }
        let copy = if number == source { String::new() } else { format!(" ({source} is its copy)") };
        match self.end {
            Some(End::Reading) => format!("descriptor {target} is now the pipe's reading end, {number}{copy}"),
            Some(End::Writing) => format!("descriptor {target} is now the pipe's writing end, {number}{copy}"),
            Some(End::Socket) => format!("descriptor {target} is now the socket pair's end {number}{copy}"),
            None => match kind(&self.is) {
                // There are many pipes, and that it is one of them says nothing.
                "a pipe" | "what it refers to" => format!("descriptor {target} now means what {number} meant{copy}"),
                kind => format!("descriptor {target} now means what {number} meant: {kind}{copy}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::explain::tests::meanings;

    #[test]
    fn an_end_made_by_the_parent_is_known_in_the_child_however_it_was_copied() {
        for born in ["clone(flags=CLONE_VM|CLONE_VFORK|SIGCHLD)", "clone3({flags=0}, 88)", "fork()", "vfork()"] {
            let log = format!(
                "\
1 1.000000 pipe2([11<pipe:[5]>, 12<pipe:[5]>], O_CLOEXEC) = 0
1 1.000001 pipe2([13<pipe:[6]>, 14<pipe:[6]>], O_CLOEXEC) = 0
1 1.000002 socketpair(AF_UNIX, SOCK_STREAM, 0, [15<UNIX-STREAM:[7->8]>, 16<UNIX-STREAM:[8->7]>]) = 0
1 1.000003 {born} = 2
2 1.000004 fcntl(11<pipe:[5]>, F_DUPFD_CLOEXEC, 100) = 100<pipe:[5]>
2 1.000005 fcntl(14<pipe:[6]>, F_DUPFD_CLOEXEC, 100) = 101<pipe:[6]>
2 1.000006 fcntl(16<UNIX-STREAM:[8->7]>, F_DUPFD_CLOEXEC, 100) = 102<UNIX-STREAM:[8->7]>
2 1.000007 fcntl(9</dev/null>, F_DUPFD_CLOEXEC, 100) = 103</dev/null>
2 1.000008 dup2(100<pipe:[5]>, 0) = 0<pipe:[5]>
2 1.000009 dup2(101<pipe:[6]>, 1) = 1<pipe:[6]>
2 1.000010 dup2(102<UNIX-STREAM:[8->7]>, 3) = 3<UNIX-STREAM:[8->7]>
2 1.000011 dup2(103</dev/null>, 2) = 2</dev/null>
2 1.000012 dup2(14<pipe:[6]>, 4) = 4<pipe:[6]>
2 1.000013 dup2(1<pipe:[6]>, 5) = 5<pipe:[6]>
"
            );
            assert_eq!(
                meanings(&log, "dup2"),
                [
                    "descriptor 0 is now the pipe's reading end, 11 (100 is its copy)",
                    "descriptor 1 is now the pipe's writing end, 14 (101 is its copy)",
                    "descriptor 3 is now the socket pair's end 16 (102 is its copy)",
                    "descriptor 2 now means what 9 meant: /dev/null (103 is its copy)",
                    "descriptor 4 is now the pipe's writing end, 14",
                    "descriptor 5 now means what 1 meant",
                ],
                "{born}"
            );
        }
    }

    #[test]
    fn what_is_no_longer_true_is_not_said() {
        let log = "\
1 1.000000 pipe2([3<pipe:[5]>, 4<pipe:[5]>], 0) = 0
1 1.000001 dup2(3<TCP:[9]>, 0<pipe:[1]>) = 0<TCP:[9]>
1 1.000002 fcntl(1<pipe:[2]>, F_DUPFD, 10) = 10<pipe:[2]>
1 1.000003 dup2(2<pipe:[3]>, 1<pipe:[2]>) = 1<pipe:[3]>
1 1.000004 dup2(10<pipe:[2]>, 1<pipe:[3]>) = 1<pipe:[2]>
2 1.000004 dup2(4<pipe:[5]>, 1<pipe:[2]>) = 1<pipe:[5]>
1 1.000005 execve(\"/bin/sh\", [\"sh\"], 0x7f) = 0
1 1.000006 dup2(4<pipe:[5]>, 1<pipe:[2]>) = 1<pipe:[5]>
";
        assert_eq!(
            meanings(log, "dup2"),
            [
                "descriptor 0 now means what 3 meant: a TCP socket",
                "descriptor 1 now means what 2 meant",
                "descriptor 1 means again what it meant before: 10 kept that",
                "descriptor 1 now means what 4 meant",
                "descriptor 1 now means what 4 meant",
            ]
        );
    }

    #[test]
    fn only_a_search_that_goes_on_is_said_to_go_on() {
        let log = "\
1 1.000000 execve(\"/a/cat\", [\"cat\"], 0x7f) = -1 ENOENT (No such file or directory)
2 1.000001 exit_group(0) = ?
1 1.000002 execve(\"/b/cat\", [\"cat\"], 0x7f) = -1 EACCES (Permission denied)
1 1.000003 execve(\"/c/cat\", [\"cat\"], 0x7f) = -1 ENOTDIR (Not a directory)
1 1.000004 execve(\"/d/cat\", [\"cat\"], 0x7f) = -1 ENOENT (No such file or directory)
1 1.000005 exit_group(127) = ?
2 1.000006 execve(\"/e/cat\", [\"cat\"], 0x7f) = 0
";
        assert_eq!(
            meanings(log, "execve"),
            [
                "no such file, or its interpreter is missing, the next one is tried",
                "it is here, but may not be executed, the next one is tried",
                "a part of that path is not a directory, the next one is tried",
                "no such file, or its interpreter is missing",
                "from here on this process is cat",
            ]
        );
    }
}
