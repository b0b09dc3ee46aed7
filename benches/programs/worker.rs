//! A worker over hyper, for a primary of any kind.

mod answer;

use std::error::Error;

use forklore::cluster::{self, Listen};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let worker = cluster::worker()?;
    let listener = worker.listen(Listen::tcp("127.0.0.1", 0)).await?;
    println!("listening on {}", listener.local_addr().ok_or("no address")?);
    while let Some(connection) = listener.accept().await? {
        tokio::spawn(answer::answer(connection));
    }
    worker.disconnected().await;
    Ok(())
}
