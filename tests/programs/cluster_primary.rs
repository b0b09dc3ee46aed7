//! A primary in a process of its own: its end, its descriptors and its time are what matters. Its argument is its
//! policy. The second one, if there is one, is JSON: `stallLimit` in milliseconds; `announce`: it opens a TCP and a UDP
//! socket that its workers may have, and tells their numbers; `refork`: whenever a worker exits, it starts another one;
//! `keepLimit`: it does not raise its limit of descriptors.
//!
//! Messages of its parent: `{"fork":["PROGRAM","ARGUMENT",…]}`, also as `forkElsewhere`: from a thread that ends
//! then; `{"tell":WORKER,"what":…}`; `"deaf"` has it receive no more events, `"hear"` all of them; `{"fill":N}` leaves N descriptors free, `"drain"` has the others free again;
//! `"return"` and `"panic"` end it. It tells what happens as `{"WHAT":WORKER,…}`.

mod filling;

use std::error::Error;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::time::Duration;

use filling::Filling;
use forklore::child_process::Command;
use forklore::cluster::{Event, Options, Primary};
use forklore::ipc;
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let channel = ipc::parent()?;
    let policy = std::env::args().nth(1).ok_or("no policy")?.parse()?;
    let wishes: Value = serde_json::from_str(&std::env::args().nth(2).unwrap_or("null".to_owned()))?;
    let mut options = Options::default().policy(policy);
    if let Some(limit) = wishes["stallLimit"].as_u64() {
        options = options.stall_limit(Duration::from_millis(limit));
    }
    if wishes["keepLimit"] == true {
        options = options.raise_descriptor_limit(false);
    }
    let announced = (TcpListener::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    if wishes["announce"] == true {
        let (tcp, udp) = (announced.0.as_raw_fd(), announced.1.as_raw_fd());
        options = options.allow_descriptor(tcp).allow_descriptor(udp);
        channel.send(&json!({ "announced": [tcp, udp] })).await?;
    }
    let primary = Primary::new(options);
    let mut filling = Filling::default();
    let mut is_deaf = false;
    let mut last_words = Vec::new();
    loop {
        let message = tokio::select! {
            Some(event) = primary.next_event(), if !is_deaf => {
                channel.send(&told(&event)).await?;
                if wishes["refork"] == true && matches!(event, Event::Exit(..)) {
                    primary.fork(command(&last_words)?)?;
                }
                continue;
            }
            message = channel.recv() => message?,
        };
        // The test has gone.
        let Some(message) = message else { return Ok(ExitCode::SUCCESS) };
        let message: Value = message.decode()?;
        if let Some(words) = message["fork"].as_array() {
            primary.fork(command(words)?)?;
            last_words.clone_from(words);
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
                "deaf" => is_deaf = true,
                "hear" => is_deaf = false,
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
        Event::Stalled(worker) => json!({ "stalled": worker.id() }),
        Event::DescriptorRefused(worker, _) => json!({ "descriptorRefused": worker.id() }),
        Event::AcceptFailed(address, error) => json!({ "acceptFailed": address.to_string(), "code": error.code() }),
        other => json!({ "other": format!("{other:?}") }),
    }
}
