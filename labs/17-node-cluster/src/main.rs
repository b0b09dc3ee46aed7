//! An ordinary Node program with cluster, unchanged, under a primary in Rust. With the path of a program: that one, until Ctrl-C.
//!
//! | file | what it holds |
//! |---|---|
//! | `options.rs` | the command line |
//! | `lesson.rs` | the lesson, with the workers of `node/app.js` |
//! | `cluster.rs` | those workers, and who of them answers |
//! | `client.rs` | one connection, one answer |
//! | `host.rs` | anybody's program |
//! | `farewell.rs` | its end |

mod client;
mod cluster;
mod farewell;
mod host;
mod lesson;
mod options;

use std::error::Error;
use std::process::ExitCode;

use forklore::error::ErrorKind;
use options::Options;
use transcript::Refusal;

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
    transcript::run_until_told(json, &["primary", &last], |t, requests| host::host(t, requests, app, options))
}

/// What is said when a worker cannot be started.
fn without_node(error: forklore::error::Error) -> Box<dyn Error> {
    match error.kind() {
        ErrorKind::ProgramNotFound { .. } => {
            Refusal::new(3, "node is not installed: apt-get install nodejs, or an installer from nodejs.org").into()
        }
        _ => error.into(),
    }
}
