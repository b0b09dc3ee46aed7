//! What all charts share: sizes, colours, captions.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use forklore_benches::contestants::ContestantKind;

use crate::figure::Figure;
use crate::page::distinct;
use crate::read::listed;

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

pub(super) const WIDTH: i32 = 760;
pub(super) const SIZE: i32 = 15;
/// Of text and axes; a sign that stands for `currentColor` besides.
pub(super) const INK: RGBColor = RGBColor(0x76, 0x76, 0x77);

const OURS: [RGBColor; 4] =
    [RGBColor(0x3d, 0x85, 0xc6), RGBColor(0x2a, 0x96, 0x96), RGBColor(0x8a, 0x6f, 0xc9), RGBColor(0x4b, 0x74, 0xe0)];
/// By how their names begin, so that a peer looks the same in every chart.
const PEERS: [(&str, &[RGBColor]); 5] = [
    ("node", &[RGBColor(0xcc, 0x77, 0x29), RGBColor(0xcf, 0x50, 0x50)]),
    ("nginx", &[RGBColor(0x3a, 0x96, 0x58)]),
    ("pm2", &[RGBColor(0xc9, 0x5f, 0x9a)]),
    ("ipc-channel", &[RGBColor(0xa0, 0x71, 0x5e)]),
    ("", &[RGBColor(0x8f, 0x8a, 0x2a), RGBColor(0xa0, 0x71, 0x5e)]),
];
const LIMITS: [RGBColor; 3] = [RGBColor(0x80, 0x80, 0x80), RGBColor(0x6a, 0x7d, 0x90), RGBColor(0x90, 0x82, 0x70)];

/// What a chart says above itself: what is measured, and across what.
const CAPTIONS: [(&str, &str); 11] = [
    ("fork_cost", "time to start a process, by the memory that the parent has resident (time is logarithmic)"),
    ("exec_cost", "time to run a program for its output"),
    ("ipc_round_trip", "time for a message and its answer, by its size (both axes logarithmic)"),
    ("ipc_one_way", "throughput in one direction, by the size of a message (both axes logarithmic)"),
    ("ipc_object_round_trip", "time for an object and its answer, by its size (both axes logarithmic)"),
    ("ipc_object_one_way", "throughput of objects in one direction, by their size (both axes logarithmic)"),
    ("handle_passing", "descriptors handed over"),
    ("scheduling", "time of a decision, by the number of workers (both axes logarithmic)"),
    ("serving", "requests a second, 2 workers, 64 connections"),
    ("latency", "time within which so many of the requests were answered (logarithmic)"),
    ("memory", "memory of a process"),
];

pub(super) fn caption(group: &str) -> String {
    let known = CAPTIONS.iter().find(|(known, _)| group.starts_with(known));
    let across = group.split_once(", ").map(|(_, rest)| format!(": {rest}")).unwrap_or_default();
    known.map_or_else(|| group.replace('_', " "), |(_, caption)| format!("{caption}{across}"))
}

pub(super) fn text(size: i32, color: RGBColor, horizontal: HPos) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&color).pos(Pos::new(horizontal, VPos::Center))
}

/// One of those that are compared.
pub(super) struct Series<'a> {
    pub(super) name: &'a str,
    pub(super) color: RGBColor,
    pub(super) is_limit: bool,
}

/// Each gets a colour: the limits greys, ours cold ones, the others warm ones; those of a kind one after the other.
pub(super) fn contestants<'a>(figures: &[&'a Figure]) -> Vec<Series<'a>> {
    let group = figures.first().map_or("", |figure| &figure.group);
    let mut taken: Vec<&str> = Vec::new();
    let mut one = |name: &'a str| {
        let side = side(group, name);
        let (kind, colors): (&str, &[RGBColor]) = match side {
            ContestantKind::Limit => ("limit", &LIMITS),
            ContestantKind::Ours => ("ours", &OURS),
            ContestantKind::Peer => PEERS.into_iter().find(|(kind, _)| name.starts_with(kind)).unwrap_or(PEERS[4]),
        };
        let before = taken.iter().filter(|taken| **taken == kind).count();
        taken.push(kind);
        Series { name, color: colors[before % colors.len()], is_limit: side == ContestantKind::Limit }
    };
    distinct(figures.iter().map(|figure| &*figure.function)).into_iter().map(&mut one).collect()
}

/// Whose it is. What serving measures is in several groups.
fn side(group: &str, name: &str) -> ContestantKind {
    let unlisted = || if name.starts_with("ours") { ContestantKind::Ours } else { ContestantKind::Peer };
    listed(group).iter().find(|contestant| contestant.name == name).map_or_else(unlisted, |contestant| contestant.side)
}
