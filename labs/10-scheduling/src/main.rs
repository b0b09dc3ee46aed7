//! Who gets the next connection: five policies with four workers; with `--simulate`, with any number of imagined ones.
//!
//! | file | what it holds |
//! |---|---|
//! | `options.rs` | the command line |
//! | `lesson.rs` | the lesson, from policy to policy |
//! | `cluster.rs` | a primary, its four workers, and how many connections each of them gets |
//! | `client.rs` | one connection, one answer |
//! | `worker.rs` | a worker |
//! | `simulation/` | the same scheduler without connections, workers and time |

mod client;
mod cluster;
mod lesson;
mod options;
mod simulation;
mod worker;

use std::process::ExitCode;

use options::Options;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("worker") {
        return transcript::run_child(worker::worker);
    }
    let options: Options = match transcript::arguments() {
        Ok(options) => options,
        Err(code) => return code,
    };
    let json = options.output.json;
    if options.simulate {
        return transcript::run_with(json, &["model"], |t| simulation::run(t, options.model, json));
    }
    transcript::run_with(json, &["primary"], lesson::lesson)
}
