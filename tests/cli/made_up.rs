//! A workspace with labs made for these tests.

use std::process::Command;

use harness::workspace::Workspace;

/// Prints two facts, or becomes `sh -c SCRIPT` when its arguments are `sh SCRIPT`.
const RUST: &str = r#"
use std::os::unix::process::CommandExt;

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let json = words.first().is_some_and(|word| word == "--json");
    if json {
        words.remove(0);
    }
    if let [shell, script] = &words[..] {
        panic!("{}", std::process::Command::new(shell).args(["-c", script]).exec());
    }
    let pid = std::process::id();
    for (fact, value) in [("colour", "green"), ("size", "RUST_SIZE")] {
        if json {
            println!("{{\"us\":1,\"pid\":{pid},\"fact\":\"{fact}\",\"value\":\"{value}\"}}");
        } else {
            println!("{fact}: {value}");
        }
    }
}
"#;

const NODE: &str = r#"
for (const [fact, value] of [['colour', 'green'], ['size', '4']]) {
  console.log(process.argv.includes('--json') ? JSON.stringify({ us: 1, pid: process.pid, fact, value }) : `${fact}: ${value}`);
}
"#;

/// The labs `90-alpha-equal`, `91-alpha-unequal` (its second fact differs in Node) and `92-broken` (does not compile).
pub(crate) fn labs() -> Workspace {
    let (equal, unequal) = (RUST.replace("RUST_SIZE", "4"), RUST.replace("RUST_SIZE", "5"));
    let broken = "fn main() { this is not Rust }\n";
    let labs = [("90-alpha-equal", &*equal), ("91-alpha-unequal", &unequal), ("92-broken", broken)];
    let workspace = Workspace::new(&labs);
    for (name, _) in labs {
        workspace.write(&format!("labs/{name}/node/main.js"), NODE);
    }
    workspace.write("empty/.keep", "");
    workspace
}

/// `cargo lab` in this workspace.
pub(crate) fn lab_in(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = workspace.tool("lab");
    command.args(arguments);
    command
}
