//! The clients of lab 07.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use forklore::cluster::Primary;
use kit::clients;
use kit::http::Client;
use transcript::Transcript;

/// How many connections, or requests, each worker answered, by its number.
type Counts = BTreeMap<String, usize>;

/// Makes forty connections, one after the other, with one request each.
pub(crate) async fn forty(t: &Transcript, primary: &Primary, address: SocketAddr) -> kit::Result<Counts> {
    let counts = clients::count(clients::in_turn(primary, address, 40).await?);
    counts.iter().for_each(|(id, count)| t.say(format!("worker {id} answered {count}")));
    Ok(counts)
}

/// Makes four connections and keeps them: 37 requests on the first one, one on each of the others. Returns both counts.
pub(crate) async fn kept(t: &Transcript, address: SocketAddr) -> kit::Result<(Counts, Counts)> {
    let (mut connections, mut requests, mut open) = (Vec::new(), Vec::new(), Vec::new());
    // ANCHOR: kept
    for count in [37, 1, 1, 1] {
        let mut client = Client::connect(address).await?;
        let mut answers = Vec::new();
        for _ in 0..count {
            answers.push(client.get("/").await?);
        }
        open.push(client);
        let by = Vec::from_iter(clients::count(answers.clone()).into_keys());
        t.say(format!("client {}: answers by worker {}, requests: {count}", open.len(), by.join(", ")));
        connections.extend(by);
        requests.extend(answers);
    }
    // ANCHOR_END: kept
    Ok((clients::count(connections), clients::count(requests)))
}
