//! What a message costs between two processes, from 16 bytes to 1 MiB: there and back, and one after the other one way.
//!
//! A message is a bare string, or in the groups whose names say so an object (see `payload.rs`). One of 16 bytes has 16
//! bytes as JSON, and 16 bytes where no JSON is known. Ours and Node's are decoded by their receivers, as messages are
//! sent to be read. One way the clock stops when the receiver has said that it has the last one. The two processes are
//! on two processors (see `cpus.rs`).
//!
//! Left out: 1 MiB in packets, which does not fit into a socket's buffer, and memory shared by two processes with a
//! futex, which cannot be had without `unsafe`.

#[path = "../pace.rs"]
mod pace;
mod pairs;

use std::cell::{OnceCell, RefCell};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use forklore_benches::BenchResult;
use forklore_benches::contestants::{Contestant, ipc, size_name};
use forklore_benches::order::MessageOrder;
use forklore_benches::partner::{has_node, runtime};
use forklore_benches::payload::MessageShape;
use forklore_benches::wire::WireKind;
use tokio::runtime::Runtime;

use pairs::{NodePair, OurPair, Pair, RawPair, ServoPair};

/// Who takes part, started when its turn comes for the first time.
struct IpcContestant<'r> {
    contestant: Contestant,
    shape: MessageShape,
    kind: Option<WireKind>,
    /// None when it is not installed.
    pair: OnceCell<Option<RefCell<Box<dyn Pair + 'r>>>>,
}

impl<'r> IpcContestant<'r> {
    fn new(contestant: Contestant, shape: MessageShape) -> IpcContestant<'r> {
        let kind = match contestant {
            ipc::PIPE => Some(WireKind::Pipe),
            ipc::STREAM => Some(WireKind::Stream),
            ipc::SEQPACKET => Some(WireKind::Seqpacket),
            ipc::DATAGRAM => Some(WireKind::Datagram),
            ipc::TCP => Some(WireKind::Tcp),
            _ => None,
        };
        IpcContestant { contestant, shape, kind, pair: OnceCell::new() }
    }

    fn start(&self, runtime: &'r Runtime) -> BenchResult<Option<RefCell<Box<dyn Pair + 'r>>>> {
        let mut pair: Box<dyn Pair + 'r> = match (self.kind, self.contestant) {
            (Some(kind), _) => Box::new(RawPair::start(runtime, kind)?),
            (None, ipc::OURS) => Box::new(OurPair::start(runtime, self.shape)?),
            (None, ipc::SERVO) => Box::new(ServoPair::start(runtime)?),
            (None, other) => {
                let mode = if other == ipc::NODE_JSON { "json" } else { "advanced" };
                match NodePair::start(runtime, mode, self.shape)? {
                    Some(pair) => Box::new(pair),
                    None => return Ok(None),
                }
            }
        };
        // Criterion measures as often as the beginning lets it hope for: both processes are to be there, and Node's
        // compiler to have seen what they do.
        for round_trip in [true, false] {
            pair.run(MessageOrder { round_trip, count: WARMED, size: 16 })?;
        }
        Ok(Some(RefCell::new(pair)))
    }
}

/// How many messages each pair exchanges before it is measured.
const WARMED: u64 = 2000;

fn ipc_throughput(criterion: &mut Criterion) {
    let runtime = runtime().expect("a runtime");
    let nodes = [ipc::NODE_JSON, ipc::NODE_ADVANCED];
    let has_node = has_node(&nodes.map(|contestant| contestant.name));
    for (shape, contestants, groups) in [
        (MessageShape::Text, ipc::ALL, ["ipc_round_trip", "ipc_one_way"]),
        (MessageShape::Object, ipc::OBJECTS, ["ipc_object_round_trip", "ipc_object_one_way"]),
    ] {
        let present = contestants.iter().copied().filter(|contestant| has_node || !nodes.contains(contestant));
        let seats: Vec<_> = present.map(|contestant| IpcContestant::new(contestant, shape)).collect();
        for (name, round_trip) in groups.into_iter().zip([true, false]) {
            measure(criterion.benchmark_group(name), &seats, &runtime, round_trip);
        }
    }
}

fn measure<'r>(
    mut group: BenchmarkGroup<'_, WallTime>,
    seats: &[IpcContestant<'r>],
    runtime: &'r Runtime,
    round_trip: bool,
) {
    pace::set(&mut group, 250);
    // So many messages in every sample that what surrounds them (an order, its answer) does not count.
    group.sampling_mode(SamplingMode::Flat);
    for size in ipc::SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        for seat in seats.iter().filter(|seat| seat.kind.is_none_or(|kind| kind.takes(size))) {
            group.bench_function(BenchmarkId::new(seat.contestant.name, size_name(size)), |bencher| {
                let pair = seat.pair.get_or_init(|| seat.start(runtime).expect("started"));
                let mut pair = pair.as_ref().expect("installed").borrow_mut();
                bencher
                    .iter_custom(|count| pair.run(MessageOrder { round_trip, count, size }).expect("both are there"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, ipc_throughput);
criterion_main!(benches);
