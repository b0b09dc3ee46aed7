//! What it costs: the raw system call, ours and the peers, in one run. Each group is a file beside this one.
//!
//! Whatever is measured between processes is measured between two of them, each kept on a processor of its own where there are two
//! ([`cpus`]). Not among the limits is memory that two processes share, with a futex to wait: it cannot be had without `unsafe`.

pub mod ballast;
pub mod contestants;
pub mod cpus;
pub mod figures;
mod installed;
pub mod machine;
pub mod order;
pub mod partner;
pub mod passing;
pub mod payload;
pub mod rollup;
pub mod rounds;
pub mod wire;
pub mod wrk;

pub use installed::installed;

/// What a program of this package returns.
pub type BenchResult<T> = Result<T, Box<dyn std::error::Error>>;
