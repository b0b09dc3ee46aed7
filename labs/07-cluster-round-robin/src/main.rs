//! Four workers that serve one port, which none of them has: the primary accepts, and gives each connection to the next one.
//!
//! The primary's view is here, the workers' in `worker.rs`. The clients are in `load.rs`.

mod load;
mod worker;

use std::iter;
use std::process::ExitCode;

use forklore::child_process::Signal;
use forklore::cluster::{Options, Primary, Worker};
use kit::{clients, proc, roles, workers};
use transcript::{ArrowKind, Transcript, yes};

const NAMES: [&str; 6] = ["primary", "worker 1", "worker 2", "worker 3", "worker 4", "worker 5"];

fn main() -> ExitCode {
    match roles::played() {
        Some(_) => transcript::run_child(worker::worker),
        None => transcript::run(&NAMES, primary),
    }
}

async fn primary(t: Transcript) -> kit::Result {
    t.step("Four workers, one port");
    let primary = Primary::new(Options::default());
    let mut running = Vec::new();
    for name in &NAMES[1..5] {
        // One after the other, so that they speak, and get connections, in this order.
        running.push(workers::start(&t, &primary, name).await?);
    }
    let address = primary.listeners().first().and_then(|listener| listener.local).ok_or("no worker listens")?;
    t.say("who has the socket that listens there? /proc/net/tcp, /proc/PID/fd:");
    let holders = proc::holders(&proc::listeners(address.port())?)?;
    let pids: Vec<u32> = iter::once(std::process::id()).chain(running.iter().map(Worker::pid)).collect();
    let holding = pids.iter().map(|pid| holders.iter().any(|holder| holder.pid == *pid));
    for ((name, pid), holds) in NAMES.iter().zip(&pids).zip(holding.clone()) {
        t.say(format!("{name}, pid {pid}: {}", yes(holds)));
    }
    let alone = holders.len() == 1 && holders[0].pid == pids[0];
    let some = format!("{} of {} processes", holding.filter(|holds| *holds).count(), pids.len());

    t.step("Forty connections, one request each");
    let first = load::forty(&t, &primary, address).await?;

    t.step("Four connections kept open");
    let (kept, requests) = load::kept(&t, address).await?;

    t.step("A worker killed, and replaced");
    // ANCHOR: kill
    let killed = running.remove(1);
    t.arrow(ArrowKind::Signal, NAMES[2], "SIGKILL");
    killed.kill(Signal::SIGKILL)?;
    let signal = workers::exit(&primary, &killed).await?.signal().ok_or("it exited on its own")?;
    t.voice(NAMES[2]).arrow(ArrowKind::Exit, NAMES[0], format!("code null, signal {signal}"));
    let asked = killed.exited_after_disconnect();
    t.say(format!("its exited_after_disconnect is {asked}: nobody asked for that"));
    running.push(workers::start(&t, &primary, NAMES[5]).await?);
    // ANCHOR_END: kill
    let second = load::forty(&t, &primary, address).await?;

    t.say("primary.disconnect()");
    primary.disconnect().await;
    let mut codes = Vec::new();
    for worker in running {
        codes.push(worker.exit().await?.to_string().replace("code ", ""));
    }

    t.fact("who listens", if alone { "the primary alone" } else { &some });
    t.fact("connections", clients::shares(&first));
    t.fact("kept connections", clients::shares(&kept));
    t.fact("requests on them", clients::shares(&requests));
    t.fact("the killed worker", format!("{signal}, exited after disconnect: {}", yes(asked)));
    t.fact("connections after its replacement", clients::shares(&second));
    t.fact("by the workers", Vec::from_iter(second.into_keys()).join(" "));
    t.fact("exit codes in the end", codes.join(" "));
    Ok(())
}
