//! A lab from its start to its exit code.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::process::ExitCode;

use crate::Transcript;
use crate::arguments::{Plain, arguments, program};
use crate::requests::EndRequests;

/// What a lab's parts return: any error that can be said in one sentence.
type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// An error with an exit code of its own: 2 for wrong arguments, 3 for a program that is not installed.
#[derive(Debug)]
pub struct Refusal {
    code: u8,
    sentence: String,
}

impl Refusal {
    /// `sentence` is all that is said of it.
    pub fn new(code: u8, sentence: impl Into<String>) -> Refusal {
        Refusal { code, sentence: sentence.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl Error for Refusal {}

/// Runs a lab that takes nothing but the arguments in [`Output`](crate::Output): reads them, gives `lab` the transcript and runs what it returns.
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
/// | 3 | a program that it needs is not installed; the lab says so with a [`Refusal`] |
/// | 128 + n | it was ended by signal n; 141 (SIGPIPE) when the transcript's reader had gone away |
pub fn run<F>(voices: &[&str], lab: impl FnOnce(Transcript) -> F) -> ExitCode
where
    F: Future<Output = Outcome>,
{
    match arguments::<Plain>() {
        Ok(plain) => run_with(plain.output.json, voices, lab),
        Err(code) => code,
    }
}

/// [`run`] for a lab that has read its [`arguments`] itself.
pub fn run_with<F>(json: bool, voices: &[&str], lab: impl FnOnce(Transcript) -> F) -> ExitCode
where
    F: Future<Output = Outcome>,
{
    on_stdout(json, voices, |transcript| block_on(lab(transcript)))
}

/// [`run_with`] for what runs until it is told to end, and then ends in its own time: the signals become requests, and the exit code is 0
/// if it ends well.
pub fn run_until_told<F>(json: bool, voices: &[&str], lab: impl FnOnce(Transcript, EndRequests) -> F) -> ExitCode
where
    F: Future<Output = Outcome>,
{
    on_stdout(json, voices, |transcript| {
        runtime()?.block_on(async { lab(transcript, EndRequests::new()?).await.map(|()| ExitCode::SUCCESS) })
    })
}

fn on_stdout(json: bool, voices: &[&str], lab: impl FnOnce(Transcript) -> Outcome<ExitCode>) -> ExitCode {
    let transcript = match Transcript::on_stdout(voices, json) {
        Ok(transcript) => transcript,
        Err(error) => return fail(&error),
    };
    let ended = lab(transcript.clone());
    match (ended, transcript.trouble()) {
        // Whatever else failed then did so because of that.
        (_, Some(io::ErrorKind::BrokenPipe)) => ExitCode::from(128 + 13),
        (Ok(_), Some(trouble)) => {
            say(&format_args!("write the transcript to stdout: {trouble}"));
            ExitCode::FAILURE
        }
        (Ok(code), None) => code,
        (Err(error), _) => fail(&*error),
    }
}

/// Runs the part of a child that has a seat in its parent's transcript. Exit codes as for [`run`]; arguments are the part's own.
pub fn run_child<F>(part: impl FnOnce(Transcript) -> F) -> ExitCode
where
    F: Future<Output = Outcome>,
{
    match Transcript::from_seat() {
        Ok(transcript) => block_on(part(transcript)).unwrap_or_else(|error| fail(&*error)),
        Err(error) => fail(&error),
    }
}

/// Runs `work` to its end, or until a signal asks this process to stop.
fn block_on(work: impl Future<Output = Outcome>) -> Outcome<ExitCode> {
    runtime()?.block_on(async {
        let mut requests = EndRequests::new()?;
        let mut signalled = pin!(async { u8::try_from(128 + requests.next().await.number()).unwrap_or(1) });
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

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Says what went wrong; the exit code is 1, or that of a [`Refusal`].
fn fail(error: &(dyn Error + 'static)) -> ExitCode {
    say(error);
    error.downcast_ref::<Refusal>().map_or(ExitCode::FAILURE, |refusal| refusal.code.into())
}

fn say(error: &dyn fmt::Display) {
    eprintln!("{}: {error}", program());
}
