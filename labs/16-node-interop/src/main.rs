//! One protocol, three languages: a parent in Node with a child in Rust, and a parent in Rust with a child in Node, and in Python.
//!
//! The conversation is written down in `node/child.js`: the child's half is in `child.rs`, the parent's in `parent.rs`. `peer.rs` is a
//! child as its parent sees it.

mod child;
mod parent;
mod peer;
mod socket;

use std::process::ExitCode;

use kit::node;
use parent::Results;
use peer::{Peer, script};
use transcript::{ArrowKind, Transcript, yes};

// ANCHOR: main
fn main() -> ExitCode {
    match std::env::args().nth(1) {
        // Node's fork starts its `execPath`, which is us, with the path of the script that it takes us to run.
        Some(script) if script.ends_with("/child.js") => child_without_a_seat(),
        _ => transcript::run(&["parent", "child", "node", "python"], three_languages),
    }
}
// ANCHOR_END: main

fn child_without_a_seat() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(child::run())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the child in Rust: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn three_languages(t: Transcript) -> kit::Result {
    t.step("Node forks this program: parent.js, with LAB_CHILD set to our path");
    let under_node = under_node(&t).await?;

    t.step("This program forks Node: the same conversation with child.js");
    let peer = Peer::start(&t, "node", script(node::program()?, "node/child.js"))?;
    let with_node = parent::converse(&peer).await?;
    peer.end().await?;

    t.step("This program forks Python: some twenty lines that follow the convention");
    let peer = Peer::start(&t, "python", script("python3", "python/child.py"))?;
    let (said, socket_taken) = (parent::say(&peer).await?, parent::take_socket(&peer, "from python\n").await?);
    peer.end().await?;

    let both_ways = |results: &Results| yes(results["said"] && results["asked"]);
    let both = |part: &str| yes(under_node[part] && with_node[part]);
    t.fact("messages both ways with a node parent", both_ways(&under_node));
    t.fact("messages both ways with a node child", both_ways(&with_node));
    t.fact("messages both ways with a python child", yes(said));
    t.fact("a socket passed to the child was used", both("socketTaken"));
    t.fact("a socket passed to the parent was used", both("socketGiven"));
    t.fact("a server passed to the child was used", both("serverTaken"));
    t.fact("a server passed to the parent was used", both("serverGiven"));
    t.fact("a socket passed to python was used", yes(socket_taken));
    Ok(())
}

/// Node as the parent of this program, and as our child: it speaks in the transcript, and reports to us.
async fn under_node(t: &Transcript) -> kit::Result<Results> {
    let parent = script(node::program()?, "node/parent.js").env("LAB_CHILD", std::env::current_exe()?);
    let node = Peer::start(t, "node", t.seat("node", parent)?)?;
    let results: Results = node.receive().await?.decode()?;
    let well = results.values().filter(|well| **well).count();
    let text = format!("what came of it: of {} parts {well} went well", results.len());
    t.voice("node").arrow(ArrowKind::Message, "parent", text);
    node.end().await?;
    Ok(results)
}
