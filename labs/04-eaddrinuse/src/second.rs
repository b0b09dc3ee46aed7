//! The second process of lab 04: tries to listen where it is told to, and prints what came of it.

use std::net::SocketAddrV4;

use kit::Result;
use transcript::Transcript;

use crate::socket::{listen, outcome, shown};

pub(crate) async fn second(t: Transcript) -> Result {
    let arguments: Vec<String> = std::env::args().skip(2).collect();
    let [address, option] = &arguments[..] else { return Err("usage: second ADDRESS OPTION".into()) };
    let address: SocketAddrV4 = address.parse()?;
    let result = outcome(listen(address, option));
    t.say(format!("pid {}: listen on {}, {option}: {result}", std::process::id(), shown(address)));
    print!("{result}");
    Ok(())
}
