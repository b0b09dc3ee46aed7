//! Charts in SVG.
//!
//! All colours are of a middle lightness, so that they can be read on white, on dark and on paper: a picture in a page does not learn whether
//! the page is dark, only whether the system is. Names stand at the lines and bars themselves. The text has the colour `currentColor`, which
//! is such a grey unless the picture is part of a page that says otherwise.

mod bars;
mod lines;

use std::error::Error;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use forklore_benches::contestants::Side;

use crate::figure::{Figure, number};
use crate::page::distinct;
use crate::read::{Results, listed};

type Outcome<T> = Result<T, Box<dyn Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

pub(crate) const WIDTH: i32 = 760;
const SIZE: i32 = 15;
/// Of text and axes; a sign that stands for `currentColor` besides.
const INK: RGBColor = RGBColor(0x76, 0x76, 0x77);

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

/// The chart of a group, with its name.
pub(crate) fn chart(results: &Results, over: Option<&Results>, group: &str) -> Outcome<(String, String)> {
    let figures: Vec<_> = results.figures.iter().filter(|figure| figure.group == group).collect();
    let parameters = distinct(figures.iter().map(|figure| &*figure.parameter));
    let across = parameters.len() > 1 && parameters.iter().all(|parameter| number(parameter).is_some());
    let svg = if across { lines::draw(&figures, &parameters, over)? } else { bars::draw(&figures, &parameters, over)? };
    let name: String = group.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let name = name.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    let title = format!("<title>{}</title>", caption(group));
    let ink = format!("#{:02X}{:02X}{:02X}", INK.0, INK.1, INK.2);
    let svg = svg.replace(&format!("fill=\"{ink}\""), "fill=\"currentColor\"");
    let svg = svg.replace(&format!("stroke=\"{ink}\""), "stroke=\"currentColor\"");
    // After the opening tag, which is the first.
    let (start, rest) = svg.split_once('>').ok_or("no SVG")?;
    let svg = format!("{start} role=\"img\" color=\"{ink}\">\n{title}{}\n", rest.trim_end());
    Ok((name, svg))
}

fn caption(group: &str) -> String {
    let known = CAPTIONS.iter().find(|(known, _)| group.starts_with(known));
    let across = group.split_once(", ").map(|(_, rest)| format!(": {rest}")).unwrap_or_default();
    known.map_or_else(|| group.replace('_', " "), |(_, caption)| format!("{caption}{across}"))
}

fn text(size: i32, color: RGBColor, horizontal: HPos) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&color).pos(Pos::new(horizontal, VPos::Center))
}

/// One who is compared.
struct Contestant<'a> {
    name: &'a str,
    color: RGBColor,
    is_limit: bool,
}

/// Each gets a colour: the limits greys, ours cold ones, the others warm ones; those of a kind one after the other.
fn contestants<'a>(figures: &[&'a Figure]) -> Vec<Contestant<'a>> {
    let group = figures.first().map_or("", |figure| &figure.group);
    let mut taken: Vec<&str> = Vec::new();
    let mut one = |name: &'a str| {
        let side = side(group, name);
        let (kind, colors): (&str, &[RGBColor]) = match side {
            Side::Limit => ("limit", &LIMITS),
            Side::Ours => ("ours", &OURS),
            Side::Peer => PEERS.into_iter().find(|(kind, _)| name.starts_with(kind)).unwrap_or(PEERS[4]),
        };
        let before = taken.iter().filter(|taken| **taken == kind).count();
        taken.push(kind);
        Contestant { name, color: colors[before % colors.len()], is_limit: side == Side::Limit }
    };
    distinct(figures.iter().map(|figure| &*figure.function)).into_iter().map(&mut one).collect()
}

/// Whose it is. What serving measures is in several groups.
fn side(group: &str, name: &str) -> Side {
    let unlisted = || if name.starts_with("ours") { Side::Ours } else { Side::Peer };
    listed(group).iter().find(|contestant| contestant.name == name).map_or_else(unlisted, |contestant| contestant.side)
}
