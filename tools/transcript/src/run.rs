//! A lab from its arguments to its exit code.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use crate::Transcript;

/// What a lab's parts return: any error that can be said in one sentence.
type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Runs a lab: reads its arguments (`--json`, `--help`), gives `lab` the transcript and runs what it returns.
///
/// `voices` names every process that will speak, the first one being this process.
///
/// On SIGINT, SIGTERM or SIGHUP the lab's future is dropped where it stands: its guards end what they hold (children started
/// with `kill_on_drop` among them) and the exit code is 128 and the signal's number.
///
/// | exit code | meaning |
/// |---|---|
/// | 0 | the lab ran to its end |
/// | 1 | it could not; one sentence on stderr says why |
/// | 2 | the arguments were wrong |
/// | 128 + n | it was ended by signal n; 141 (SIGPIPE) when the transcript's reader had gone away |
pub fn run<F>(voices: &[&str], lab: impl FnOnce(Transcript) -> F) -> ExitCode
where
    F: Future<Output = Outcome>,
{
    let json = match arguments(std::env::args().skip(1)) {
        Ok(json) => json,
        Err(code) => return code,
    };
    let transcript = match Transcript::on_stdout(voices, json) {
        Ok(transcript) => transcript,
        Err(error) => return fail(&error),
    };
    let ended = block_on(lab(transcript.clone()));
    match (ended, transcript.trouble()) {
        // Whatever else failed then did so because of that.
        (_, Some(io::ErrorKind::BrokenPipe)) => ExitCode::from(128 + 13),
        (Ok(_), Some(trouble)) => fail(&format!("write the transcript to stdout: {trouble}")),
        (Ok(code), None) => code,
        (Err(error), _) => fail(&error),
    }
}

/// Runs the part of a child that has a seat in its parent's transcript. Exit codes as for [`run`]; arguments are the part's own.
pub fn run_child<F>(part: impl FnOnce(Transcript) -> F) -> ExitCode
where
    F: Future<Output = Outcome>,
{
    match Transcript::from_seat() {
        Ok(transcript) => block_on(part(transcript)).unwrap_or_else(|error| fail(&error)),
        Err(error) => fail(&error),
    }
}

/// Whether JSON is asked for; or the exit code, when there is nothing to run.
fn arguments(arguments: impl Iterator<Item = String>) -> Result<bool, ExitCode> {
    let mut json = false;
    for argument in arguments {
        match argument.as_str() {
            "--json" => json = true,
            "-h" | "--help" => {
                println!("{} [--json]\n\nRuns the lab. --json prints the transcript as JSON lines.", program());
                return Err(ExitCode::SUCCESS);
            }
            _ => {
                eprintln!("{}: unknown argument {argument:?}; a lab takes --json or nothing", program());
                return Err(ExitCode::from(2));
            }
        }
    }
    Ok(json)
}

/// Runs `work` to its end, or until a signal asks this process to stop.
fn block_on(work: impl Future<Output = Outcome>) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let mut signalled = pin!(async {
            let kind = tokio::select! {
                _ = interrupt.recv() => SignalKind::interrupt(),
                _ = terminate.recv() => SignalKind::terminate(),
                _ = hangup.recv() => SignalKind::hangup(),
            };
            u8::try_from(128 + kind.as_raw_value()).unwrap_or(1)
        });
        let failed = tokio::select! {
            code = &mut signalled => return Ok(code.into()),
            outcome = work => match outcome {
                Ok(()) => return Ok(ExitCode::SUCCESS),
                Err(error) => error,
            },
        };
        // Ctrl-C is for all processes of a lab, and a child may have died of it before the runtime has looked for our own signal. The
        // failure is then no news.
        tokio::task::yield_now().await;
        tokio::select! {
            biased;
            code = signalled => Ok(code.into()),
            () = std::future::ready(()) => Err(failed),
        }
    })
}

fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{}: {error}", program());
    ExitCode::FAILURE
}

/// The name by which this program was started, without its folder.
fn program() -> String {
    let path = std::env::args().next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}
