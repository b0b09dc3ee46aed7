//! Any other program in workers: `program.rs` runs it, `farewell.rs` ends it.

mod farewell;
mod program;

use std::path::PathBuf;

use transcript::{EndRequests, Transcript};

use crate::options::Options;
use program::Host;

/// Runs a program of the reader's own until a signal asks it to end.
pub(crate) async fn run(t: Transcript, mut requests: EndRequests, app: PathBuf, options: Options) -> kit::Result {
    let mut host = Host::new(t, app, options);
    let ended = host.serve(&mut requests).await;
    farewell::end(&host, &mut requests).await?;
    ended
}
