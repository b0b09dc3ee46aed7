//! How long criterion takes for a function. A round of all functions is short, so that many rounds can be taken, and what is compared
//! alternates: on a machine that does other things, too, that says more than one long measurement.

use std::time::Duration;

use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;

/// About this many milliseconds for a function, warming up included.
pub(crate) fn set(group: &mut BenchmarkGroup<'_, WallTime>, milliseconds: u64) {
    group.sample_size(10).nresamples(2000);
    group.warm_up_time(Duration::from_millis(milliseconds / 4));
    group.measurement_time(Duration::from_millis(milliseconds * 3 / 4));
}
