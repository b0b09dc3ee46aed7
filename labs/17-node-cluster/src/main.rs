//! An ordinary Node program with cluster, unchanged, under a primary in Rust. With the path of a program, it runs that
//! one until Ctrl-C.
//!
//! The lesson is here, its workers are in `cluster.rs`; any other program is run by `host/`.

mod cluster;
mod host;
mod options;

use std::process::ExitCode;

use cluster::Cluster;
use forklore::child_process::Signal;
use kit::http;
use options::Options;
use tokio::task::JoinSet;
use transcript::{ArrowKind, Transcript};

const NAMES: [&str; 6] = ["primary", "worker 1", "worker 2", "worker 3", "worker 4", "worker 5"];
const AT_ONCE: usize = 20;

fn main() -> ExitCode {
    let options: Options = match transcript::arguments() {
        Ok(options) => options,
        Err(code) => return code,
    };
    let json = options.output.json;
    let Some(app) = options.app.clone() else { return transcript::run_with(json, &NAMES, lesson) };
    let last = format!("worker {}", options.workers);
    transcript::run_until_told(json, &["primary", &last], |t, requests| host::run(t, requests, app, options))
}

async fn lesson(t: Transcript) -> kit::Result {
    t.step("Four workers of app.js, unchanged, under a primary in Rust");
    let mut cluster = Cluster::new(&t);
    for _ in 0..4 {
        cluster.start().await?;
    }
    let (workers, server) = (cluster.workers.len(), cluster.server);

    t.step("Forty connections, one after the other");
    let first = cluster.forty().await?;

    t.step("A worker is busy for ever, and killed under load");
    let mut spin = http::begin(server, "/spin").await?;
    let busy = cluster.answered_by(&spin.piece().await?.unwrap_or_default())?.clone();
    let name = format!("worker {}", busy.id());
    t.say(format!("GET /spin: {name} says who it is, and is busy for ever"));

    // ANCHOR: kill
    let mut flood: JoinSet<_> = (0..AT_ONCE).map(|_| http::get(server, "/")).collect();
    let mut answered = 0;
    // It is given one of the first and soon no more: the last answer comes from another one, after all have been handed out.
    while answered + busy.unanswered() < AT_ONCE {
        flood.join_next().await.ok_or("nobody waits for an answer")???;
        answered += 1;
    }
    t.say(format!("{AT_ONCE} connections at once: the others have answered {answered}"));
    t.say(format!("the rest wait with {name}, which holds {} and reads nothing", busy.unanswered()));
    t.arrow(ArrowKind::Signal, &name, "SIGKILL");
    busy.kill(Signal::SIGKILL)?;
    let exit = cluster.exit_of(&busy).await?;
    // ANCHOR_END: kill
    t.voice(&name).arrow(ArrowKind::Exit, NAMES[0], format!("code null, signal {exit}"));
    let cut = if spin.rest().await.is_err() { "cut off, that answer cannot be saved" } else { "complete" };
    t.say(format!("the client of /spin: {cut}"));

    // ANCHOR: lost
    // What has no answer when every worker that is left has answered several later connections is not going to get one.
    let later = cluster.until_each_has_answered(3).await?;
    t.say(format!("until each of the others has answered three more: connected {later}"));
    let before = answered;
    while let Some(answer) = flood.try_join_next() {
        answer??;
        answered += 1;
    }
    t.say(format!("what it had not taken goes to the others: answered {}", answered - before));
    let lost = format!("{} of {AT_ONCE}", AT_ONCE - answered);
    t.say(format!("connections lost: {lost}"));
    // ANCHOR_END: lost

    t.step("Replaced, and forty connections again");
    cluster.start().await?;
    let second = cluster.forty().await?;
    t.say("primary.disconnect()");
    cluster.disconnect().await;

    t.fact("workers", workers);
    t.fact("connections", first);
    t.fact("ended by", exit);
    t.fact("connections lost with the killed worker", lost);
    t.fact("connections after its replacement", second);
    Ok(())
}
