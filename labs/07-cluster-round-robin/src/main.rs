//! Four workers that serve one port, which none of them has: the primary accepts, and gives each connection to the next one.
//!
//! The primary's view is here and in `cluster.rs`, the workers' in `worker.rs`. Who asks is in `client.rs`, the search for who listens in `listeners.rs`.

mod client;
mod cluster;
mod listeners;
mod worker;

use std::error::Error;
use std::process::ExitCode;

use client::Client;
use cluster::{Cluster, Counts};
use forklore::child_process::Signal;
use forklore::cluster::{Options, Primary, Worker};
use transcript::{ArrowKind, Transcript, yes};

const VOICES: [&str; 6] = ["primary", "worker 1", "worker 2", "worker 3", "worker 4", "worker 5"];

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("worker") => transcript::run_child(worker::worker),
        _ => transcript::run(&VOICES, primary),
    }
}

async fn primary(t: Transcript) -> Result<(), Box<dyn Error>> {
    let cluster = Cluster { t: t.clone(), primary: Primary::new(Options::default()) };

    t.step("Four workers, one port");
    let mut workers = Vec::new();
    for voice in &VOICES[1..5] {
        // One after the other, so that they speak, and get connections, in this order.
        workers.push(cluster.start(voice).await?);
    }
    let address = cluster.primary.listeners().first().and_then(|listener| listener.local).ok_or("nobody listens")?;
    t.say("who has the socket that listens there? /proc/net/tcp, /proc/PID/fd:");
    let pids: Vec<u32> = std::iter::once(std::process::id()).chain(workers.iter().map(Worker::pid)).collect();
    let holders = listeners::holders(address.port(), &pids)?;
    for (voice, pid) in VOICES.iter().zip(&pids) {
        t.say(format!("{voice}, pid {pid}: {}", yes(holders.contains(pid))));
    }

    t.step("Forty connections, one request each");
    let first = cluster.sequentially(address).await?;

    t.step("Four connections kept open");
    let (mut kept, mut requests) = (Counts::new(), Counts::new());
    let mut clients = Vec::new();
    // ANCHOR: kept
    for (number, count) in (1..).zip([37, 1, 1, 1]) {
        let mut client = Client::connect(address).await?;
        let mut by = Counts::new();
        for _ in 0..count {
            *by.entry(client.ask().await?).or_default() += 1;
        }
        let ids: Vec<_> = by.keys().map(ToString::to_string).collect();
        t.say(format!("client {number}: answers by worker {}, requests: {count}", ids.join(", ")));
        by.into_iter().for_each(|(id, count)| {
            *kept.entry(id).or_default() += 1;
            *requests.entry(id).or_default() += count;
        });
        clients.push(client);
    }
    drop(clients);
    // ANCHOR_END: kept

    t.step("A worker killed, and replaced");
    // ANCHOR: kill
    let killed = workers.remove(1);
    t.arrow(ArrowKind::Signal, VOICES[2], "SIGKILL");
    killed.kill(Signal::SIGKILL)?;
    let exit = cluster.end_of(&killed).await?;
    let (code, signal) = (exit.code(), exit.signal().ok_or("it ended by itself")?);
    let code = code.map_or("null".to_owned(), |code| code.to_string());
    t.voice(VOICES[2]).arrow(ArrowKind::Exit, VOICES[0], format!("code {code}, signal {signal}"));
    let asked = killed.exited_after_disconnect();
    t.say(format!("its exited_after_disconnect is {asked}: nobody asked for that"));
    workers.push(cluster.start(VOICES[5]).await?);
    // ANCHOR_END: kill
    let second = cluster.sequentially(address).await?;

    t.say("primary.disconnect()");
    let mut codes = Vec::new();
    tokio::join!(cluster.primary.disconnect(), async {
        for worker in &workers {
            codes.push(worker.exit().await.map_or_else(|error| error.to_string(), |exit| exit.to_string()));
        }
    });
    let codes: Vec<_> = codes.iter().map(|exit| exit.trim_start_matches("code ")).collect();

    let alone = holders == [std::process::id()];
    let some = format!("{} of {} processes", holders.len(), pids.len());
    t.fact("who listens", if alone { "the primary alone" } else { &some });
    t.fact("connections", numbers(&first));
    t.fact("kept connections", numbers(&kept));
    t.fact("requests on them", numbers(&requests));
    t.fact("the killed worker", format!("{signal}, exited after disconnect: {}", yes(asked)));
    t.fact("connections after its replacement", numbers(&second));
    t.fact("by the workers", second.keys().map(ToString::to_string).collect::<Vec<_>>().join(" "));
    t.fact("exit codes in the end", codes.join(" "));
    Ok(())
}

/// The largest first.
fn numbers(counts: &Counts) -> String {
    let mut counts: Vec<usize> = counts.values().copied().collect();
    counts.sort_by(|a, b| b.cmp(a));
    counts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
