//! Runs the groups, round by round: `cargo run --release --package forklore-benches --bin bench -- [GROUP…]`
//!
//! In a round every function of a group has its turn, so that over the rounds what is compared alternates, and what the machine does
//! besides is spread over all. `report` makes tables of the results, which are in `target/criterion` and `target/serving`.

mod binaries;
mod progress;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use forklore::child_process::{Command, Signal, Stdio, exec_file};
use forklore_benches::BenchResult;
use forklore_benches::machine::Machine;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use binaries::{Binary, target};
use progress::BenchProgress;

const EXAMPLES: &str = "\
Examples:
  just bench                   all groups, five rounds: about a quarter of an hour, on a machine that does nothing else
  just bench fork              the groups that have this in their names
  just bench serving --rounds 2
  just bench-report            tables and charts of what was measured last

Exit codes:
  0        all was measured
  1        a group failed, or has no such name
  2        wrong usage
  128 + n  ended by signal n (130: Ctrl-C); nothing is left running";

/// Measures what things cost, round by round: in each round everything that is compared has its turn.
#[derive(Debug, Parser)]
#[command(name = "bench", bin_name = "just bench", after_help = EXAMPLES, max_term_width = 100)]
struct BenchOptions {
    /// Only the groups whose names contain one of these: fork_cost, exec_cost, ipc_throughput, handle_passing, scheduling, memory, serving
    groups: Vec<String>,

    /// How many rounds
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Do each thing once, and measure nothing
    #[arg(long)]
    smoke: bool,

    /// Only name what would be measured
    #[arg(long)]
    list: bool,
}

impl BenchOptions {
    fn rounds(&self) -> u32 {
        if self.smoke { 1 } else { self.rounds }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> BenchResult<ExitCode> {
    let options = BenchOptions::parse();
    let binaries = binaries::build(&options.groups, options.smoke).await?;
    let mut work = Vec::new();
    for binary in binaries {
        let functions = list(&binary).await?;
        work.push((binary, functions));
    }
    if options.list {
        work.iter().for_each(|(_, functions)| functions.iter().for_each(|function| println!("{function}")));
        return Ok(ExitCode::SUCCESS);
    }
    let target = target()?;
    if !options.smoke {
        let machine = serde_json::to_string_pretty(&Machine::here().await)?;
        std::fs::write(target.join("machine.json"), machine)?;
    }
    let counts =
        work.iter().map(|(binary, functions)| (binary.name.clone(), functions.len() as u32 * options.rounds()));
    let mut progress = BenchProgress::new(counts.collect());
    let mut failed = Vec::new();
    for (binary, _) in &work {
        // So that no round of an earlier run counts among those of this one.
        let home = target.join("criterion").join(&binary.name);
        if !options.smoke && home.exists() {
            std::fs::remove_dir_all(&home)?;
        }
        for round in 1..=if binary.does_rounds() { 1 } else { options.rounds } {
            let title = if binary.does_rounds() {
                binary.name.clone()
            } else {
                format!("{}, round {round} of {}", binary.name, options.rounds())
            };
            progress.begin(&binary.name, title);
            if let Err(error) = measure(binary, &options, round, &home, &mut progress).await {
                progress.line(&format!("failed: {}: {error}", binary.name));
                failed.push(binary.name.clone());
                break;
            }
        }
    }
    progress.end();
    if !options.smoke {
        std::fs::write(target.join("missing.json"), serde_json::to_string_pretty(&progress.missing)?)?;
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(format!("failed: {}", failed.join(", ")).into())
}

/// The names of what a group measures.
async fn list(binary: &Binary) -> BenchResult<Vec<String>> {
    let output = exec_file(Command::new(&binary.program).args(["--bench", "--list"])).await?.stdout_lossy();
    Ok(output.lines().filter_map(|line| line.strip_suffix(": benchmark")).map(str::to_owned).collect())
}

/// Runs a group: one round of it, or all if it does rounds by itself.
async fn measure(
    binary: &Binary,
    options: &BenchOptions,
    round: u32,
    home: &Path,
    progress: &mut BenchProgress,
) -> BenchResult<()> {
    let mut command = Command::new(&binary.program).arg("--bench").env("CRITERION_HOME", home);
    command = command.env("CARGO_TARGET_DIR", target()?);
    command = match (options.smoke, binary.does_rounds()) {
        (true, _) => command.arg("--test"),
        (false, true) => command.args(["--rounds", &options.rounds().to_string()]),
        (false, false) => command.args(["--save-baseline", &format!("round-{round}"), "--noplot"]),
    };
    // Ctrl-C reaches it by itself; this is for the case that we alone are ended.
    let command = command.stdio([Stdio::Ignore, Stdio::Pipe, Stdio::Pipe]).parent_death_signal(Signal::SIGTERM);
    let mut child = command.spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no pipe")?).lines();
    let mut errors = child.stderr.take().ok_or("no pipe")?;
    let mut wrong = Vec::new();
    let read = async {
        let mut name = String::new();
        while let Some(line) = lines.next_line().await? {
            progress.hear(&line, &mut name);
        }
        std::io::Result::Ok(())
    };
    let (read, kept) = tokio::join!(read, errors.read_to_end(&mut wrong));
    read?;
    kept?;
    let exit = child.close().await?;
    let wrong = String::from_utf8_lossy(&wrong);
    wrong.lines().for_each(|line| progress.left_out(line));
    if !exit.success() {
        let said = wrong.lines().filter(|line| !line.starts_with("Benchmarking ")).collect::<Vec<_>>().join("\n");
        return Err(format!("{exit}\n{said}").into());
    }
    Ok(())
}
