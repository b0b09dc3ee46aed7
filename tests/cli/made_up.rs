//! A workspace with labs made for these tests.

use std::fs;
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

const DIFFERS: &str = r#"
[[package.metadata.lab.differs]]
fact = "size"
rust = "5"
node = "4"
because = "it was written that way"
"#;

/// The labs `90-alpha-equal`, `91-alpha-unequal` (its second fact differs in Node), `92-broken` (does not compile), `93-declared` (its
/// second fact differs in Node, as declared), `94-equal-after-all` (its second fact is declared, and does not differ) and `95-library`
/// (uses another crate).
pub(crate) fn labs() -> Workspace {
    let (equal, unequal) = (RUST.replace("RUST_SIZE", "4"), RUST.replace("RUST_SIZE", "5"));
    let library = "[dependencies]\nlibrary.path = \"../../library\"\n";
    let labs = [
        ("90-alpha-equal", &*equal, ""),
        ("91-alpha-unequal", &unequal, ""),
        ("92-broken", "fn main() { this is not Rust }\n", ""),
        ("93-declared", &unequal, DIFFERS),
        ("94-equal-after-all", &equal, DIFFERS),
        ("95-library", &equal, library),
    ];
    let workspace = Workspace::new(&labs.map(|(name, main, _)| (name, main)));
    for (name, _, rest) in labs {
        workspace.write(&format!("labs/{name}/node/main.js"), NODE);
        let manifest = format!("labs/{name}/Cargo.toml");
        let declared = fs::read_to_string(workspace.path(&manifest)).expect("a manifest");
        workspace.write(&manifest, &(declared + rest));
    }
    workspace.write("library/Cargo.toml", "[package]\nname = \"library\"\nedition = \"2024\"\n");
    workspace.write("library/src/lib.rs", "");
    workspace.write("empty/.keep", "");
    workspace
}

/// `cargo lab` in this workspace.
pub(crate) fn lab_in(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = workspace.tool("lab");
    command.args(arguments);
    command
}

/// Whether text fits on a terminal of 80 columns, and has no escapes: it was not written to a terminal.
pub(crate) fn is_plain(text: &str) -> bool {
    text.lines().all(|line| line.chars().count() <= 80) && !text.contains('\x1b')
}
