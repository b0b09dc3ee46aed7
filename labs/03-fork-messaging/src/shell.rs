//! A child that knows nothing of us but the convention.

use forklore::child_process::{Command, Stdio};
use forklore::ipc::CHANNEL_FD;
use kit::Result;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use transcript::{ArrowKind, Transcript};

// ANCHOR: shell
/// `read` succeeds only if the line has an end, which it takes off: so the \n is printed because it was there.
const READ_AND_WRITE: &str = r#"
    IFS= read -r line <&$NODE_CHANNEL_FD && printf '%s\\n' "$line"
    printf '{"word":"hi"}\n' >&$NODE_CHANNEL_FD"#;

/// Returns what the shell read, and the word that it sent.
pub(crate) async fn shell(t: &Transcript) -> Result<(String, String)> {
    let command = Command::shell(READ_AND_WRITE).stdio([Stdio::Ignore, Stdio::Pipe]).kill_on_drop();
    let (mut child, channel) = command.fork()?;
    let hello = json!({ "word": "hello" });
    t.arrow(ArrowKind::Message, "shell", &hello);
    channel.send(&hello).await?;
    let mut printed = String::new();
    child.stdout.take().ok_or("no pipe")?.read_to_string(&mut printed).await?;
    let understood: Value = channel.recv_as().await?.ok_or("the shell ended without an answer")?;
    child.close().await?;
    t.voice("shell").say(format!("{CHANNEL_FD} says where; I read these bytes: {printed}"));
    t.voice("shell").arrow(ArrowKind::Message, "parent", r#"printf '{"word":"hi"}\n'"#);
    t.say(format!("understood: the word is {}", understood["word"]));
    Ok((printed, understood["word"].as_str().unwrap_or_default().to_owned()))
}
// ANCHOR_END: shell
