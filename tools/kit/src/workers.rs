//! What a cluster's workers do, one worker at a time.
//!
//! # Errors
//!
//! Every function fails when the worker exits before what is waited for.

use forklore::child_process::{Exit, Stdio};
use forklore::cluster::{Address, Event, Primary, Worker};
use transcript::Transcript;

use crate::{Result, roles};

/// Starts this program as a worker that speaks as `speaker`, and waits until it has sent a message.
pub async fn start(t: &Transcript, primary: &Primary, speaker: &str) -> Result<Worker> {
    let worker = primary.fork(roles::command(t, speaker, "worker")?.stdout(Stdio::Ignore))?;
    loop {
        match next_of(primary, &worker).await? {
            Event::Message(..) => return Ok(worker),
            Event::Exit(_, exit) => return Err(too_early(&worker, exit?)),
            _ => {}
        }
    }
}

/// Waits until a worker listens, and returns the address.
pub async fn listening(primary: &Primary, worker: &Worker) -> Result<Address> {
    loop {
        match next_of(primary, worker).await? {
            Event::Listening(_, address) => return Ok(address),
            Event::Exit(_, exit) => return Err(too_early(worker, exit?)),
            _ => {}
        }
    }
}

/// Waits until a worker's channel and process have ended. From then on the primary hands it nothing.
pub async fn exit(primary: &Primary, worker: &Worker) -> Result<Exit> {
    loop {
        if let Event::Exit(_, exit) = next_of(primary, worker).await? {
            return Ok(exit?);
        }
    }
}

/// The next of these events that is about this worker.
async fn next_of(primary: &Primary, worker: &Worker) -> Result<Event> {
    loop {
        let event = primary.next_event().await.ok_or("the cluster has ended")?;
        if let Event::Listening(of, _) | Event::Message(of, _) | Event::Exit(of, _) = &event
            && of == worker
        {
            return Ok(event);
        }
    }
}

fn too_early(worker: &Worker, exit: Exit) -> Box<dyn std::error::Error> {
    format!("worker {} ended too early: {exit}", worker.id()).into()
}
