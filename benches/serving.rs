//! What a server costs, as its clients see it: `wrk` with 64 connections asks two workers for 12 bytes, with a connection for all requests or
//! one for each. And what memory the processes have meanwhile.
//!
//! All contestants take their turn in each round, so that what the machine does besides is spread over them. A contestant is started for
//! its turn, is warmed up, and has ended when the next one begins: two at a time would share pages.
//!

#[path = "serving/contestant.rs"]
mod contestant;
#[path = "serving/processes.rs"]
mod processes;
#[path = "serving/server.rs"]
mod server;
#[path = "serving/wrk.rs"]
mod wrk;

use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use forklore_benches::BenchResult;
use forklore_benches::figures::{Missing, ServingResults, ServingRun};
use forklore_benches::rounds::Rounds;
use tokio::signal::unix::{SignalKind, signal};

use contestant::ServingContestant;
use processes::Processes;
use server::RunningServer;
use wrk::{CONNECTIONS, LoadKind};

#[tokio::main(flavor = "current_thread")]
async fn main() -> BenchResult<ExitCode> {
    let options = Rounds::parse();
    let chosen = ServingContestant::all().into_iter().filter(|one| options.chooses(&format!("serving/{}", one.name)));
    let chosen: Vec<_> = chosen.collect();
    if options.list {
        for contestant in &chosen {
            LoadKind::ALL.iter().for_each(|load| println!("serving/{}/{load}: benchmark", contestant.name));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let taken = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let mut found =
        ServingResults { taken, seconds: options.seconds(), connections: CONNECTIONS, ..ServingResults::default() };
    let mut running = None;
    let outcome = tokio::select! {
        outcome = rounds(&options, chosen, &mut running, &mut found) => outcome,
        name = interrupted() => Err(format!("{} has ended it", name?).into()),
    };
    if let Some(server) = running.take() {
        server.stop().await?;
    }
    outcome?;
    if !options.test {
        write(&Rounds::results("serving")?, &found)?;
    }
    found.failed.iter().for_each(|failed| eprintln!("failed: {failed}"));
    Ok(if found.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The signal by which somebody ends us, when it comes.
async fn interrupted() -> BenchResult<&'static str> {
    let (mut int, mut term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(tokio::select! { _ = int.recv() => "SIGINT", _ = term.recv() => "SIGTERM" })
}

async fn rounds(
    options: &Rounds,
    chosen: Vec<ServingContestant>,
    running: &mut Option<RunningServer>,
    found: &mut ServingResults,
) -> BenchResult<()> {
    let requires_all = std::env::var_os("FORKLORE_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    let mut present = Vec::new();
    for one in chosen {
        let Some(program) = one.lacks() else {
            present.push(one);
            continue;
        };
        let missing = Missing { contestant: one.name.to_owned(), reason: format!("{program} is not installed") };
        println!("left out: {}: {}", missing.contestant, missing.reason);
        // pm2 is in no distribution.
        if requires_all && program != "pm2-runtime" {
            found.failed.push(format!("{}: {}", missing.contestant, missing.reason));
        }
        found.missing.push(missing);
    }
    for round in 1..=options.rounds() {
        for contestant in &present {
            turn(options, contestant, round, running, found)
                .await
                .map_err(|error| format!("{}: {error}", contestant.name))?;
        }
    }
    Ok(())
}

/// What one contestant does in one round.
async fn turn(
    options: &Rounds,
    contestant: &ServingContestant,
    round: u32,
    running: &mut Option<RunningServer>,
    found: &mut ServingResults,
) -> BenchResult<()> {
    let server = running.insert(RunningServer::start(contestant).await?);
    let processes = Processes::of(server.pid())?;
    let name = contestant.name;
    found.memory.extend(processes.memory(name, "idle", round)?);
    for load in LoadKind::ALL {
        // As long as the measurement: what Node compiles while it runs takes its time.
        if !options.test {
            wrk::measure(server.port, load, options.seconds()).await?;
        }
        let before = processes.time()?;
        let measured = wrk::measure(server.port, load, options.seconds()).await?;
        let after = processes.time()?;
        if let Some(wrong) = measured.wrong() {
            let failed = format!("{name}, {load}, round {round}: {wrong}");
            println!("serving/{name}/{load}  {failed}");
            found.failed.push(failed);
            continue;
        }
        let each = |of: usize| (after[of] - before[of]) * 1e6 / measured.requests.max(1) as f64;
        let (rate, [.., worst]) = (measured.rate, measured.latency);
        println!("serving/{name}/{load}  round {round}: {rate:.0} requests/s, 99 % within {:.2} ms", worst / 1000.0);
        found.runs.push(ServingRun {
            contestant: name.to_owned(),
            load: load.to_string(),
            round,
            rate,
            latency: measured.latency,
            processor: [each(0), each(1)],
        });
    }
    found.memory.extend(processes.memory(name, "after load", round)?);
    match running.take() {
        Some(server) => server.stop().await,
        None => Ok(()),
    }
}

fn write(file: &Path, found: &ServingResults) -> BenchResult<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(file, serde_json::to_string_pretty(found)?)?;
    println!("written: {}", file.display());
    Ok(())
}
