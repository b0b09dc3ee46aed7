//! The other process of a pair: `raw KIND`, `passing`, `channel SHAPE`, `handles` or `servo NAME`.

use std::error::Error;
use std::hint::black_box;

use forklore::ipc;
use forklore_benches::BenchResult;
use forklore_benches::order::MessageOrder;
use forklore_benches::passing;
use forklore_benches::payload::MessageShape;
use forklore_benches::wire::{Wire, WireKind};
use ipc_channel::ipc::{self as servo, IpcReceiver, IpcSender};

fn main() -> BenchResult<()> {
    let mut words = std::env::args().skip(1);
    let mut word = || words.next().ok_or("raw KIND, passing, channel SHAPE, handles or servo NAME");
    match &*word()? {
        "raw" => {
            let name = word()?;
            let kind = WireKind::ALL.into_iter().find(|kind| kind.to_string() == name);
            Ok(Wire::inherited(kind.ok_or("no kind of a wire")?)?.serve()?)
        }
        "passing" => Ok(passing::serve(&Wire::inherited(WireKind::Stream)?)?),
        "channel" => {
            let name = word()?;
            let shape = MessageShape::ALL.into_iter().find(|shape| shape.name() == name);
            channel(shape.ok_or("no shape of a message")?)
        }
        "handles" => handles(),
        "servo" => crate_channel(word()?),
        other => Err(format!("{other} is nothing that it knows").into()),
    }
}

/// In a task, as a server does its work: see [`forklore::ipc::Channel`].
#[tokio::main(flavor = "current_thread")]
async fn channel(shape: MessageShape) -> BenchResult<()> {
    tokio::spawn(async move { exchange(shape).await.map_err(|error| error.to_string()) }).await??;
    Ok(())
}

async fn exchange(shape: MessageShape) -> Result<(), Box<dyn Error + Send + Sync>> {
    let parent = ipc::parent()?;
    while let Some(order) = parent.recv_as::<MessageOrder>().await? {
        parent.send("ready").await?;
        for _ in 0..order.count {
            let payload = shape.receive(&parent).await?.ok_or("the end")?;
            if order.round_trip {
                parent.send(&payload).await?;
            }
            black_box(payload);
        }
        if !order.round_trip {
            parent.send("done").await?;
        }
    }
    Ok(())
}

/// Takes each handle and closes it. That it has come is acknowledged by the channel itself.
#[tokio::main(flavor = "current_thread")]
async fn handles() -> BenchResult<()> {
    let parent = ipc::parent()?;
    while let Some(message) = parent.recv().await? {
        if message.handle.is_none() {
            return Err("a message without a handle".into());
        }
    }
    Ok(())
}

fn crate_channel(name: String) -> BenchResult<()> {
    let (to_us, orders) = servo::channel::<MessageOrder>()?;
    let (texts_to_us, texts) = servo::channel::<String>()?;
    let (answers, to_parent) = servo::channel::<String>()?;
    let ends: (IpcSender<MessageOrder>, IpcSender<String>, IpcReceiver<String>) = (to_us, texts_to_us, to_parent);
    IpcSender::connect(name)?.send(ends)?;
    while let Ok(order) = orders.recv() {
        answers.send("ready".to_owned())?;
        for _ in 0..order.count {
            let text = texts.recv()?;
            if order.round_trip {
                answers.send(text)?;
            } else {
                black_box(text);
            }
        }
        if !order.round_trip {
            answers.send("done".to_owned())?;
        }
    }
    Ok(())
}
