//! Runs: drawn from a seed, replayed from a list of steps, shortened.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::broken::{Broken, Checked};
use crate::coverage::Coverage;
use crate::options::GroupOptions;
use crate::plan::Plan;
use crate::step::Step;
use crate::world::{World, panicked};

/// How many steps a run has before the faults end.
const STEPS: usize = 1200;

/// A run as it was drawn, and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) groups: Vec<GroupOptions>,
    pub(crate) steps: Vec<Step>,
    /// How many inputs the primary's state machine had.
    pub(crate) inputs: u64,
    pub(crate) coverage: Coverage,
    pub(crate) broken: Option<Broken>,
}

/// Draws a run from a seed.
pub(crate) fn draw(seed: u64) -> Run {
    let (mut plan, groups) = Plan::new(seed);
    let mut world = World::new(&groups);
    let mut steps = Vec::with_capacity(STEPS);
    let outcome = guarded(|| {
        for _ in 0..STEPS {
            let step = plan.next(&world);
            steps.push(step);
            world.apply(step)?;
        }
        world.recover()
    });
    let (inputs, coverage) = (world.ledger.inputs, world.coverage());
    Run { groups, steps, inputs, coverage, broken: outcome.err() }
}

/// Replays a list of steps.
fn replay(groups: &[GroupOptions], steps: &[Step]) -> Option<Broken> {
    let mut world = World::new(groups);
    guarded(|| {
        steps.iter().try_for_each(|step| world.apply(*step))?;
        world.recover()
    })
    .err()
}

thread_local! {
    /// A run is under way in this thread, and a panic is an outcome of it.
    static IN_RUN: Cell<bool> = const { Cell::new(false) };
}

/// A panic of a state machine breaks an invariant, too.
fn guarded(act: impl FnOnce() -> Checked) -> Checked {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IN_RUN.get() {
                before(panic)
            }
        }));
    });
    IN_RUN.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(act));
    IN_RUN.set(false);
    outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        Err(panicked(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or_default().to_owned()))
    })
}

/// Removes every step that the failure does not need: in chunks first, then one by one (Zeller's delta debugging).
pub(crate) fn shorten(groups: &[GroupOptions], mut steps: Vec<Step>, invariant: &str) -> Vec<Step> {
    let still_fails = |steps: &[Step]| replay(groups, steps).is_some_and(|broken| broken.invariant == invariant);
    let mut chunk = steps.len().div_ceil(2);
    while chunk > 0 {
        let before = steps.len();
        let mut at = 0;
        while at < steps.len() {
            let end = (at + chunk).min(steps.len());
            let shorter = [&steps[..at], &steps[end..]].concat();
            if still_fails(&shorter) { steps = shorter } else { at = end }
        }
        // The last pass is repeated as long as it helps.
        if chunk > 1 || steps.len() == before {
            chunk /= 2;
        }
    }
    steps
}

/// Writes down a run: its groups, its steps, and what the primary was told and did.
pub(crate) fn describe(groups: &[GroupOptions], steps: &[Step]) -> String {
    let mut world = World::new(groups);
    world.story = Some(Vec::new());
    let mut text = String::new();
    for (number, group) in groups.iter().enumerate() {
        text += &format!("group {number}: {group:?}\n");
    }
    let outcome = guarded(|| {
        for (number, step) in (1..).zip(steps) {
            text += &format!("{number:4}. {step:?}\n");
            let applied = world.apply(*step);
            text += &tell(&mut world);
            applied?;
        }
        world.recover()
    });
    text += &tell(&mut world);
    if let Err(Broken { invariant, detail }) = outcome {
        text += &format!("BROKEN: {invariant}\n        {detail}\n");
    }
    text
}

fn tell(world: &mut World) -> String {
    let story = world.story.as_mut().map(std::mem::take).unwrap_or_default();
    story.into_iter().map(|line| format!("          {line}\n")).collect()
}
