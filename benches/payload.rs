//! What the messages of `ipc_throughput` say: a bare string, or an object as services send it. Both have the wanted
//! length as JSON, to the byte, and Node's side is given the same value with its order.

use forklore::ipc::Channel;
use serde::{Deserialize, Serialize};

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageShape {
    /// One string without escapes.
    Text,
    /// Nested, with numbers, short and long strings, some escapes and some letters outside ASCII.
    Object,
}

impl MessageShape {
    /// Both.
    pub const ALL: [MessageShape; 2] = [MessageShape::Text, MessageShape::Object];

    /// The name that the other process is given.
    pub fn name(self) -> &'static str {
        if self == MessageShape::Text { "text" } else { "object" }
    }

    /// Makes a message of this length.
    pub fn payload(self, size: usize) -> MessageBody {
        match self {
            MessageShape::Text => MessageBody::Text("x".repeat(size.saturating_sub(2))),
            MessageShape::Object => MessageBody::Object(Batch::new(size)),
        }
    }

    /// Receives a message of this shape with [`Channel::recv_as`], as a receiver does that wants to be fast: the JSON is
    /// read once. An object becomes structs with owned strings, not a `serde_json::Value`: a receiver in Rust knows
    /// what it expects. In Node every message is an object with all of its members when the receiver gets it.
    ///
    /// # Errors
    ///
    /// When the message is of the other shape, and those of the channel.
    pub async fn receive(self, channel: &Channel) -> forklore::Result<Option<MessageBody>> {
        Ok(match self {
            MessageShape::Text => channel.recv_as().await?.map(MessageBody::Text),
            MessageShape::Object => channel.recv_as().await?.map(MessageBody::Object),
        })
    }
}

/// A message.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum MessageBody {
    /// A string.
    Text(String),
    /// An object.
    Object(Batch),
}

/// Some records, and how many there are in all.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    n: u32,
    all: Vec<Article>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Article {
    id: u32,
    name: String,
    price: f64,
    in_stock: bool,
    discount: Option<f64>,
    tags: Vec<String>,
    origin: Warehouse,
    note: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Warehouse {
    city: String,
    position: (f64, f64),
}

const REMARK: &str = "\"Größe M\", said the label.\nKeep it dry – 木 is wood; see C:\\care.txt. ";
const PLAIN: &str = "The parcel leaves the house two days after the order and can be followed on its way. ";

impl Batch {
    /// As many records as fit; the last one's note fills the rest.
    fn new(size: usize) -> Batch {
        let mut batch = Batch { n: 7, all: Vec::new() };
        let mut left = size.saturating_sub(length(&batch));
        for id in 1.. {
            let record = Article::new(id);
            let taken = length(&record) + usize::from(!batch.all.is_empty());
            if taken > left {
                break;
            }
            batch.all.push(record);
            left -= taken;
        }
        if let Some(last) = batch.all.last_mut() {
            last.note.extend(PLAIN.chars().cycle().take(left));
        }
        batch
    }
}

impl Article {
    fn new(id: u32) -> Article {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Article {
            id: 1_000 + id,
            name: format!("Regenjacke, Größe {id}"),
            price: f64::from(id) + 0.95,
            in_stock: !id.is_multiple_of(3),
            discount: id.is_multiple_of(2).then_some(12.5),
            tags: words(&["outdoor", "été", "new"]),
            origin: Warehouse { city: "São Paulo".to_owned(), position: (-23.5505, -46.6333) },
            note: REMARK.to_owned() + &PLAIN.repeat([0, 2, 5, 15][id as usize % 4]),
        }
    }
}

fn length(value: &impl Serialize) -> usize {
    serde_json::to_string(value).map_or(0, |json| json.len())
}
