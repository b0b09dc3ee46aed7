//! What memory an idle child takes that was forked and has answered one message: ours, Node's, and one with nothing in it but a socket.
//!
//! Three of a kind are looked at together, as workers are many: what they share is then counted once in their proportional sizes.
//!
//! The figures are in `target/memory/results.json`.

use std::fs;
use std::io::Read;
use std::os::unix::net::UnixStream;

use clap::Parser;
use forklore::child_process::Command;
use forklore_benches::figures::Memory;
use forklore_benches::partner::{Partner, has_node, peer, runtime};
use forklore_benches::rollup::Rollup;
use forklore_benches::rounds::Rounds;
use forklore_benches::{BenchResult, installed};
use tokio::runtime::Runtime;

const GREETER: &str = env!("CARGO_BIN_EXE_bench-greeter");
const CHILDREN: usize = 3;
const CONTESTANTS: [&str; 3] = ["a process with a socket", "ours", "node"];

fn main() -> BenchResult<()> {
    let options = Rounds::parse();
    if options.list {
        CONTESTANTS.iter().for_each(|name| println!("memory/{name}: benchmark"));
        return Ok(());
    }
    let runtime = runtime()?;
    let mut contestants = CONTESTANTS.to_vec();
    if !has_node(&["node"]) {
        contestants.retain(|name| *name != "node");
    }
    contestants.retain(|name| options.chooses(&format!("memory/{name}")));
    if contestants.is_empty() {
        return Ok(());
    }
    let mut found: Vec<Memory> = Vec::new();
    for round in 1..=options.rounds() {
        for contestant in &contestants {
            let rollups = turn(&runtime, contestant)?;
            let Rollup { resident, proportional, private_dirty } = rollups[0];
            println!(
                "memory/{contestant}  round {round}: private dirty {private_dirty} KiB, proportional {proportional} KiB, \
                 resident {resident} KiB"
            );
            found.extend((1..).zip(rollups).map(|(number, rollup)| Memory {
                contestant: (*contestant).to_owned(),
                process: format!("child {number}"),
                moment: "idle".to_owned(),
                round,
                resident: rollup.resident,
                proportional: rollup.proportional,
                private_dirty: rollup.private_dirty,
            }));
        }
    }
    if options.test {
        return Ok(());
    }
    let file = Rounds::results("memory")?;
    fs::create_dir_all(file.parent().ok_or("no folder")?)?;
    fs::write(file, serde_json::to_string_pretty(&found)?)?;
    Ok(())
}

/// The memory of children of one kind, when all of them are idle.
fn turn(runtime: &Runtime, contestant: &str) -> BenchResult<Vec<Rollup>> {
    let mut children = Vec::new();
    if contestant == CONTESTANTS[0] {
        for _ in 0..CHILDREN {
            let (mut ours, theirs) = UnixStream::pair()?;
            let child = Partner::spawn(
                runtime,
                Command::new(GREETER).arg("raw").env("BENCH_SOCKET_FD", "3").descriptor(3, theirs.into()),
            )?;
            ours.read_exact(&mut [0])?;
            children.push((child, Some(ours), None));
        }
    } else {
        for _ in 0..CHILDREN {
            let command = match contestant {
                "node" => Command::new(installed("node").ok_or("node is not installed")?).arg(peer("child.js")),
                _ => Command::new(GREETER),
            };
            let (child, channel) = Partner::fork(runtime, command)?;
            runtime.block_on(async {
                channel.recv().await?.ok_or("it is not there")?;
                channel.send("are you there?").await?;
                channel.recv().await?.ok_or("it does not answer")?;
                BenchResult::Ok(())
            })?;
            children.push((child, None, Some(channel)));
        }
    }
    children.iter().map(|(child, ..)| Ok(Rollup::of(child.pid())?)).collect()
}
