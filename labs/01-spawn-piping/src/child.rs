//! The child of lab 01: one line to its own stdout, whatever that is. It says so in the transcript, which is another descriptor.

use kit::Result;
use transcript::Transcript;

// ANCHOR: child
pub(crate) async fn child(t: Transcript) -> Result {
    let line = "hello from the child\n";
    print!("{line}");
    t.say(format!("wrote {} bytes to my stdout", line.len()));
    Ok(())
}
// ANCHOR_END: child
