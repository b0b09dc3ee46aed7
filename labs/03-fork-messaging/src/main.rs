//! fork is spawn with a channel: a socket, one JSON value a line on it, and what that does to the child's life.
//!
//! The parent is here, the parts that its children play are in `child.rs`.

mod child;

use std::error::Error;
use std::process::ExitCode;

use forklore::child_process::{Child, Command, Stdio};
use forklore::ipc::{CHANNEL_FD, Channel};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use transcript::{ArrowKind, Transcript, yes};

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some(part) if !part.starts_with('-') => child::play(part),
        _ => transcript::run(&["parent", "child", "shell"], parent),
    }
}

async fn parent(t: Transcript) -> Result<(), Box<dyn Error>> {
    t.step("The channel: a descriptor at both ends, its number in the environment");
    let (mut child, channel) = fork(&t, "introduce")?;
    let fd = channel.fd().ok_or("the channel has ended already")?;
    let own = child::what_is(fd)?;
    let introduced = answer(&channel).await?;
    child.close().await?;
    t.say(format!("my end is fd {fd}: {own}"));
    let theirs = introduced["is"].as_str().unwrap_or_default();
    let sockets = own.starts_with("socket") && theirs.starts_with("socket");
    let number = introduced["fd"].as_str().unwrap_or("none").to_owned();

    t.step("Messages there and back: whatever JSON can say");
    let (mut child, channel) = fork(&t, "answer")?;
    let sent = [json!({ "word": "hello" }), json!({ "list": [1, null, 2.5] })];
    let mut answered = 0;
    for message in &sent {
        send(&t, &channel, message).await?;
        answered += usize::from(answer(&channel).await?["heard"] == *message);
    }
    channel.disconnect().await;
    child.close().await?;

    t.step("What is on the wire: a shell reads it, and answers by printf");
    let (printed, word) = shell(&t).await?;

    t.step("Who listens stays, until the channel is disconnected");
    let (mut child, channel) = fork(&t, "listen")?;
    answer(&channel).await?;
    send(&t, &channel, &json!("ping")).await?;
    let word_back = answer(&channel).await?;
    t.say("it is still there; disconnect()");
    channel.disconnect().await;
    let listened = child.close().await?;
    t.voice("child").arrow(ArrowKind::Exit, "parent", listened);

    t.step("Who does not listen ends, connected or not");
    let (child, channel) = fork(&t, "deaf")?;
    let deaf = child.exit().await?;
    t.voice("child").arrow(ArrowKind::Exit, "parent", deaf);
    t.say("and I had not disconnected");
    drop(channel);

    t.step("Messages whose cmd begins with NODE_ are for Node itself");
    let (mut child, channel) = fork(&t, "whisper")?;
    let mut seen = Vec::new();
    while let Some(message) = channel.recv().await? {
        seen.push(message.decode::<Value>()?["cmd"].as_str().unwrap_or("no cmd").to_owned());
    }
    child.close().await?;
    t.say(format!("recv() gave: {}", seen.join(", ")));

    t.fact("the child's NODE_CHANNEL_FD", number);
    t.fact("the channel is", if sockets { "a socket" } else { "something else" });
    t.fact("messages there and back", format!("{answered} of {}", sent.len()));
    t.fact("the bytes of a message", printed);
    t.fact("a shell that writes such bytes is understood", yes(word == "hi"));
    t.fact("a child that listens was there after its work", yes(word_back == "pong"));
    t.fact("after disconnect it ended with", listened);
    t.fact("a child that does not listen ended with", deaf);
    t.fact("of NODE_SECRET and plain the user saw", seen.join(", "));
    Ok(())
}

/// This program again, playing this part, with a channel at descriptor 3.
fn fork(t: &Transcript, part: &str) -> Result<(Child, Channel), Box<dyn Error>> {
    let command = Command::new(std::env::current_exe()?).arg(part).kill_on_drop();
    Ok(t.seat("child", command)?.stdio([Stdio::Ignore, Stdio::Ignore]).fork()?)
}

async fn send(t: &Transcript, channel: &Channel, message: &Value) -> Result<(), Box<dyn Error>> {
    t.arrow(ArrowKind::Message, "child", message);
    Ok(channel.send(message).await?)
}

async fn answer(channel: &Channel) -> Result<Value, Box<dyn Error>> {
    let message = channel.recv().await?.ok_or("the child ended without an answer")?;
    Ok(message.decode()?)
}

// ANCHOR: shell
/// `read` succeeds only if the line has an end, which it takes off: so the \n is printed because it was there.
const READ_AND_WRITE: &str = r#"
    IFS= read -r line <&$NODE_CHANNEL_FD && printf '%s\\n' "$line"
    printf '{"word":"hi"}\n' >&$NODE_CHANNEL_FD"#;

/// A child that knows nothing of us but the convention: what it read, and the word that it sent.
async fn shell(t: &Transcript) -> Result<(String, String), Box<dyn Error>> {
    let command = Command::shell(READ_AND_WRITE).stdio([Stdio::Ignore, Stdio::Pipe]).kill_on_drop();
    let (mut child, channel) = command.fork()?;
    let hello = json!({ "word": "hello" });
    t.arrow(ArrowKind::Message, "shell", &hello);
    channel.send(&hello).await?;
    let mut printed = String::new();
    child.stdout.take().ok_or("no pipe")?.read_to_string(&mut printed).await?;
    let understood = answer(&channel).await?;
    child.close().await?;
    t.voice("shell").say(format!("{CHANNEL_FD} says where; I read these bytes: {printed}"));
    t.voice("shell").arrow(ArrowKind::Message, "parent", r#"printf '{"word":"hi"}\n'"#);
    t.say(format!("understood: the word is {}", understood["word"]));
    Ok((printed, understood["word"].as_str().unwrap_or_default().to_owned()))
}
// ANCHOR_END: shell
