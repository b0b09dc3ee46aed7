//! What it costs to pass an open TCP connection to another process, which closes it.
//!
//! The limit is sendmsg(2) of one byte with one descriptor, as fast as the socket takes them. Node and ours say of each that it has come;
//! Node sends the next one then, and ours, if it is told to, has 64 on their way. The two processes are on two processors (see `cpus.rs`).

#[path = "pace.rs"]
mod pace;

use std::cell::{OnceCell, RefCell};
use std::collections::VecDeque;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forklore::child_process::Command;
use forklore::ipc::{Channel, Handle, Settings};
use forklore_benches::BenchResult;
use forklore_benches::contestants::handle_passing::{NODE, RAW, RAW_ACKNOWLEDGED, WINDOW_1, WINDOW_64};
use forklore_benches::cpus::Apart;
use forklore_benches::order::MessageOrder;
use forklore_benches::partner::{NodePartner, Partner, has_node, runtime};
use forklore_benches::passing;
use forklore_benches::wire::{Wire, WireKind};
use tokio::runtime::Runtime;

const PARTNER: &str = env!("CARGO_BIN_EXE_bench-partner");

/// How many handles Node's processes pass before they are measured.
const WARMED: u64 = 2000;

fn handle_passing(criterion: &mut Criterion) {
    let runtime = runtime().expect("a runtime");
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("bound");
    let connection = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
    let mut group = criterion.benchmark_group("handle_passing");
    group.throughput(Throughput::Elements(1));
    pace::set(&mut group, 1000);

    let raw = OnceCell::new();
    for (contestant, round_trip) in [(RAW, false), (RAW_ACKNOWLEDGED, true)] {
        group.bench_function(contestant.name, |bencher| {
            let (wire, partner) = raw.get_or_init(|| start_raw(&runtime).expect("started"));
            bencher.iter_custom(|count| {
                let _apart = Apart::put(0, partner.pid()).expect("put apart");
                passing::run(wire, MessageOrder { round_trip, count, size: 1 }, connection.as_fd()).expect("passed")
            });
        });
    }
    for (contestant, window) in [(WINDOW_1, 1), (WINDOW_64, 64)] {
        let ours = OnceCell::new();
        group.bench_function(contestant.name, |bencher| {
            let start = || {
                let settings = Settings::default().window(window);
                Partner::fork(&runtime, Command::new(PARTNER).arg("handles").channel_settings(settings))
            };
            let (partner, channel) = ours.get_or_init(|| start().expect("started"));
            bencher.iter_custom(|count| {
                let _apart = Apart::put(0, partner.pid()).expect("put apart");
                runtime.block_on(pass(channel, &connection, window, count)).expect("passed")
            });
        });
    }
    if !has_node(&[NODE.name]) {
        return group.finish();
    }
    let node = OnceCell::new();
    group.bench_function(NODE.name, |bencher| {
        let (node, child) = node.get_or_init(|| start_node(&runtime).expect("started"));
        let mut node = node.borrow_mut();
        bencher.iter_custom(|count| {
            let _apart = Apart::put(node.pid(), *child).expect("put apart");
            node.ask(&count).expect("it answers")
        });
    });
    group.finish();
}

fn start_raw(runtime: &Runtime) -> BenchResult<(Wire, Partner<'_>)> {
    let (wire, theirs) = Wire::pair(WireKind::Stream)?;
    Ok((wire, Partner::spawn(runtime, theirs.hand_to(Command::new(PARTNER).arg("passing")))?))
}

fn start_node(runtime: &Runtime) -> BenchResult<(RefCell<NodePartner<'_>>, u32)> {
    let mut node = NodePartner::start(runtime, "handles.js", &[])?.ok_or("node is not installed")?;
    let child = u32::try_from(node.number()?)?;
    // Its child is to be there, and its compiler to have seen what they do.
    node.ask(&WARMED)?;
    Ok((RefCell::new(node), child))
}

/// Passes the connection so many times, each with a descriptor of its own that comes back with the acknowledgement.
async fn pass(channel: &Channel, connection: &TcpStream, window: usize, count: u64) -> BenchResult<Duration> {
    let mut idle: Vec<_> = (0..window).map(|_| Handle::of(connection)).collect::<Result<_, _>>()?;
    let mut deliveries = VecDeque::with_capacity(window);
    let start = Instant::now();
    for number in 0..count {
        if idle.is_empty()
            && let Some(delivery) = deliveries.pop_front()
        {
            idle.push(delivery.await?);
        }
        let handle = idle.pop().ok_or("more than the window")?;
        deliveries.push_back(channel.post_handle(&number, handle)?);
    }
    for delivery in deliveries {
        delivery.await?;
    }
    Ok(start.elapsed())
}

criterion_group!(benches, handle_passing);
criterion_main!(benches);
