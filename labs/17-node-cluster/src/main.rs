//! An ordinary Node program with cluster, unchanged, under a primary in Rust. With the path of a program, it runs that
//! one until Ctrl-C.
//!
//! | file | what it holds |
//! |---|---|
//! | `options.rs` | the command line |
//! | `lesson.rs` | the lesson, with the workers of `node/app.js` |
//! | `cluster.rs` | those workers, and which of them answers |
//! | `client.rs` | one connection, one answer |
//! | `host.rs` | any other program |
//! | `farewell.rs` | its end |
//! | `node.rs` | the error when Node is missing |

mod client;
mod cluster;
mod farewell;
mod host;
mod lesson;
mod node;
mod options;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use host::Host;
use options::Options;
use transcript::{EndRequests, Transcript};

fn main() -> ExitCode {
    let options: Options = match transcript::arguments() {
        Ok(options) => options,
        Err(code) => return code,
    };
    let json = options.output.json;
    let Some(app) = options.app.clone() else {
        let voices = ["primary", "worker 1", "worker 2", "worker 3", "worker 4", "worker 5"];
        return transcript::run_with(json, &voices, lesson::lesson);
    };
    let last = format!("worker {}", options.workers);
    transcript::run_until_told(json, &["primary", &last], |t, requests| host(t, requests, app, options))
}

/// Runs a program of the reader's own until a signal asks it to end.
async fn host(t: Transcript, mut requests: EndRequests, app: PathBuf, options: Options) -> Result<(), Box<dyn Error>> {
    let mut host = Host::new(t, app, options);
    let ended = host.serve(&mut requests).await;
    farewell::end(&host, &mut requests).await?;
    ended
}
