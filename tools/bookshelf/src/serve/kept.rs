//! A program under a keeper (`keeper.rs`): its output line by line, and its end, asked for or not.

use std::error::Error;
use std::ffi::OsString;
use std::future::Future;
use std::pin::pin;

use forklore::child_process::{Command, Stdio};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

/// How much of what a program says on stderr is kept; the rest is read and thrown away.
const STDERR_LIMIT: u64 = 64 * 1024;

/// How a program ended.
#[derive(Debug)]
pub(super) struct Ended<W> {
    /// The keeper's exit code, which is the program's.
    pub(super) code: i32,
    /// Why it was ended, if that was asked for.
    pub(super) unwanted: Option<W>,
    /// What it said on stderr.
    pub(super) stderr: String,
}

/// Runs `line` and gives every line of its output to `take`. When `unwanted` is over, the program is ended, and all that it had started;
/// this returns when that is done.
///
/// Dropped half-way it does the same, only that nobody learns when it is done.
///
/// # Errors
///
/// When it cannot be started or waited for.
pub(super) async fn run<W>(
    line: impl IntoIterator<Item = OsString>,
    unwanted: impl Future<Output = W>,
    mut take: impl FnMut(String),
) -> Result<Ended<W>, Box<dyn Error + Send + Sync>> {
    // The program that we are, even if its file has been replaced since.
    let keeper = Command::new("/proc/self/exe").argv0("bookshelf").args(["keep", "--"]).args(line);
    // A group of its own: Ctrl-C is for us, and we tell the keeper in our own way.
    let mut child = keeper.stdio([Stdio::Pipe, Stdio::Pipe, Stdio::Pipe]).kill_group().spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let stderr = tokio::spawn(async move { beginning(stderr).await });
    let mut lines = stdout.map(|stdout| BufReader::new(stdout).split(b'\n'));
    let (mut unwanted, mut why) = (pin!(unwanted), None);
    let exit = loop {
        // Its output has an end as soon as nobody is left who could write to it, and the keeper is the last one.
        let silent = lines.is_none();
        let next_line = async {
            match &mut lines {
                Some(lines) => lines.next_segment().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            reason = &mut unwanted, if why.is_none() => {
                why = Some(reason);
                child.stdin = None;
            }
            line = next_line => match line? {
                Some(line) => take(String::from_utf8_lossy(&line).into_owned()),
                None => lines = None,
            },
            exit = child.exit(), if silent => break exit?,
        }
    };
    Ok(Ended { code: exit.shell_code(), unwanted: why, stderr: stderr.await? })
}

/// The beginning of what a stream says; read to its end, since a full pipe would stop the writer.
async fn beginning(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(stream) = stream else { return String::new() };
    let mut stream = stream.take(STDERR_LIMIT);
    let mut said = Vec::new();
    // An error is an end, too.
    let _ = stream.read_to_end(&mut said).await;
    let _ = tokio::io::copy(stream.get_mut(), &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&said).into_owned()
}
