//! A primary in a process of its own: its end, its descriptors and its time are what matters. Its argument is its
//! policy.
//!
//! Messages of its parent: `{"fork":["PROGRAM","ARGUMENT",…]}`, also as `forkElsewhere`: from a thread that ends
//! then; `{"tell":WORKER,"what":…}`; `{"fill":N}` leaves N descriptors free, `"drain"` has the others free again;
//! `"return"` and `"panic"` end it. It tells what happens as `{"WHAT":WORKER,…}`.

mod filling;

use std::process::ExitCode;

use filling::Filling;
use forklore::child_process::Command;
use forklore::cluster::{Event, Options, Primary};
use forklore::ipc;
use serde_json::{Value, json};

type Outcome = Result<ExitCode, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let channel = ipc::parent()?;
    let policy = std::env::args().nth(1).ok_or("no policy")?.parse()?;
    let primary = Primary::new(Options::default().policy(policy));
    let mut filling = Filling::default();
    loop {
        let message = tokio::select! {
            Some(event) = primary.next_event() => {
                channel.send(&told(&event)).await?;
                continue;
            }
            message = channel.recv() => message?,
        };
        // The test has gone.
        let Some(message) = message else { return Ok(ExitCode::SUCCESS) };
        let message: Value = message.decode()?;
        if let Some(words) = message["fork"].as_array() {
            primary.fork(command(words)?)?;
        } else if let Some(words) = message["forkElsewhere"].as_array() {
            let (primary, command, runtime) = (primary.clone(), command(words)?, tokio::runtime::Handle::current());
            let fork = move || {
                let _inside = runtime.enter();
                primary.fork(command).map(drop)
            };
            std::thread::spawn(fork).join().map_err(|_| "it panicked")??;
        } else if let Some(id) = message["tell"].as_u64() {
            let worker = primary.workers().into_iter().find(|worker| u64::from(worker.id()) == id);
            worker.ok_or("no such worker")?.send(&message["what"]).await?;
        } else if let Some(left) = message["fill"].as_u64() {
            filling = Filling::but(usize::try_from(left)?)?;
            channel.send("full").await?;
        } else {
            match message.as_str().unwrap_or_default() {
                "drain" => drop(std::mem::take(&mut filling)),
                "return" => return Ok(ExitCode::SUCCESS),
                "panic" => {
                    // Without a word: it is no news.
                    std::panic::set_hook(Box::new(|_| ()));
                    panic!("as it was told to");
                }
                _ => return Err(format!("what is {message}?").into()),
            }
        }
    }
}

fn command(words: &[Value]) -> Result<Command, &'static str> {
    let mut words = words.iter().filter_map(Value::as_str);
    Ok(Command::new(words.next().ok_or("no program")?).args(words))
}

fn told(event: &Event) -> Value {
    match event {
        Event::Fork(worker) => json!({ "fork": worker.id(), "pid": worker.pid() }),
        Event::Online(worker) => json!({ "online": worker.id() }),
        Event::Listening(worker, address) => json!({ "listening": worker.id(), "port": address.port }),
        Event::Message(worker, message) => json!({ "message": worker.id(), "text": message.json() }),
        Event::Disconnect(worker, _) => json!({ "disconnect": worker.id() }),
        Event::Exit(worker, exit) => json!({ "exit": worker.id(), "how": format!("{exit:?}") }),
        Event::AcceptFailed(address, error) => json!({ "acceptFailed": address.to_string(), "code": error.code() }),
        other => json!({ "other": format!("{other:?}") }),
    }
}
