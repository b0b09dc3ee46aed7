//! Two processes and what is between them.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use forklore::child_process::Command;
use forklore::ipc::Channel;
use forklore_benches::BenchResult;
use forklore_benches::cpus::Apart;
use forklore_benches::order::MessageOrder;
use forklore_benches::partner::{NodePartner, Partner};
use forklore_benches::payload::{MessageBody, MessageShape};
use forklore_benches::wire::{Wire, WireKind};
use ipc_channel::ipc::{IpcOneShotServer, IpcReceiver, IpcSender};
use serde::Serialize;
use tokio::runtime::Runtime;

/// One that a task may have.
type TaskError = Box<dyn Error + Send + Sync>;

const PARTNER: &str = env!("CARGO_BIN_EXE_bench-partner");

/// Two processes that exchange messages.
pub(crate) trait Pair {
    /// Carries out the order, and says how long that took.
    fn run(&mut self, order: MessageOrder) -> BenchResult<Duration>;
}

pub(crate) struct RawPair<'r> {
    wire: Wire,
    partner: Partner<'r>,
}

impl<'r> RawPair<'r> {
    pub(crate) fn start(runtime: &'r Runtime, kind: WireKind) -> BenchResult<RawPair<'r>> {
        let (wire, theirs) = Wire::pair(kind)?;
        let command = theirs.hand_to(Command::new(PARTNER).args(["raw", &kind.to_string()]));
        Ok(RawPair { wire, partner: Partner::spawn(runtime, command)? })
    }
}

impl Pair for RawPair<'_> {
    fn run(&mut self, order: MessageOrder) -> BenchResult<Duration> {
        let _apart = Apart::put(0, self.partner.pid())?;
        Ok(self.wire.run(order)?)
    }
}

pub(crate) struct OurPair<'r> {
    channel: Channel,
    shape: MessageShape,
    partner: Partner<'r>,
    runtime: &'r Runtime,
}

impl<'r> OurPair<'r> {
    pub(crate) fn start(runtime: &'r Runtime, shape: MessageShape) -> BenchResult<OurPair<'r>> {
        let (partner, channel) = Partner::fork(runtime, Command::new(PARTNER).args(["channel", shape.name()]))?;
        Ok(OurPair { channel, shape, partner, runtime })
    }
}

impl Pair for OurPair<'_> {
    fn run(&mut self, order: MessageOrder) -> BenchResult<Duration> {
        let _apart = Apart::put(0, self.partner.pid())?;
        let (channel, shape, payload) = (self.channel.clone(), self.shape, self.shape.payload(order.size));
        // In a task, as a server does its work: see `Channel`.
        let exchanged = self.runtime.spawn(async move {
            const ENDED: &str = "the partner has ended";
            let answer = async || -> Result<String, TaskError> { Ok(channel.recv_as().await?.ok_or(ENDED)?) };
            channel.send(&order).await?;
            answer().await?;
            let start = Instant::now();
            for _ in 0..order.count {
                channel.send(&payload).await?;
                if order.round_trip {
                    black_box(shape.receive(&channel).await?.ok_or(ENDED)?);
                }
            }
            if !order.round_trip {
                answer().await?;
            }
            Ok::<_, TaskError>(start.elapsed())
        });
        self.runtime.block_on(exchanged)?.map_err(|error| error as Box<dyn Error>)
    }
}

pub(crate) struct ServoPair<'r> {
    orders: IpcSender<MessageOrder>,
    texts: IpcSender<String>,
    answers: IpcReceiver<String>,
    partner: Partner<'r>,
}

impl<'r> ServoPair<'r> {
    pub(crate) fn start(runtime: &'r Runtime) -> BenchResult<ServoPair<'r>> {
        let (server, name) = IpcOneShotServer::new()?;
        let partner = Partner::spawn(runtime, Command::new(PARTNER).args(["servo", &name]))?;
        let (_, (orders, texts, answers)) = server.accept()?;
        Ok(ServoPair { orders, texts, answers, partner })
    }
}

impl Pair for ServoPair<'_> {
    fn run(&mut self, order: MessageOrder) -> BenchResult<Duration> {
        let _apart = Apart::put(0, self.partner.pid())?;
        self.orders.send(order)?;
        self.answers.recv()?;
        let text = order.text();
        let start = Instant::now();
        for _ in 0..order.count {
            // It takes the message with it, as ours need not.
            self.texts.send(text.clone())?;
            if order.round_trip {
                self.answers.recv()?;
            }
        }
        if !order.round_trip {
            self.answers.recv()?;
        }
        Ok(start.elapsed())
    }
}

/// Both are Node's: a script and the child that it has forked.
pub(crate) struct NodePair<'r> {
    node: NodePartner<'r>,
    shape: MessageShape,
    child: u32,
}

/// What Node's side is told: also the message, so that both sides send the same.
#[derive(Serialize)]
struct Task {
    #[serde(flatten)]
    order: MessageOrder,
    message: MessageBody,
}

impl<'r> NodePair<'r> {
    pub(crate) fn start(
        runtime: &'r Runtime,
        serialization: &str,
        shape: MessageShape,
    ) -> BenchResult<Option<NodePair<'r>>> {
        let Some(mut node) = NodePartner::start(runtime, "channel.js", &[serialization])? else { return Ok(None) };
        let child = u32::try_from(node.number()?)?;
        Ok(Some(NodePair { node, shape, child }))
    }
}

impl Pair for NodePair<'_> {
    fn run(&mut self, order: MessageOrder) -> BenchResult<Duration> {
        let _apart = Apart::put(self.node.pid(), self.child)?;
        self.node.ask(&Task { order, message: self.shape.payload(order.size) })
    }
}
