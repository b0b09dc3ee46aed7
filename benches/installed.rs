//! Which of the peers are here.

use std::path::PathBuf;
use std::sync::OnceLock;

use manifest::programs::{self, Node};

/// Where servers lie that nobody but root has on the `PATH`.
const SYSTEM: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Where a program lies, if it is installed. Of several versions of Node it is the newest.
pub fn installed(program: &str) -> Option<PathBuf> {
    static NODE: OnceLock<Option<PathBuf>> = OnceLock::new();
    if program == "node" {
        return NODE.get_or_init(newest_node).clone();
    }
    let in_system = || SYSTEM.iter().map(|folder| PathBuf::from(folder).join(program));
    programs::find(program).ok().or_else(|| in_system().find(|file| programs::is_program(file)))
}

fn newest_node() -> Option<PathBuf> {
    let nodes = Node::all().map_err(|error| eprintln!("{error}")).unwrap_or_default();
    nodes.into_iter().max_by_key(Node::numbers).map(|node| node.path)
}
