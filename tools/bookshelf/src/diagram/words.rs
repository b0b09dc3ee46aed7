//! A scene as a list in words: what a screen reader says.

use transcript::ArrowKind;

use super::scene::{Arrow, Row, Scene};
use crate::colours::class_of;
use crate::directives::output::marked;
use crate::html::text;

/// An item for each step with a list of what happens in it.
pub(super) fn list(scene: &Scene<'_>) -> String {
    let mut html = String::new();
    let mut open = false;
    for row in &scene.rows {
        if let Row::Step { number, title } = row {
            html += if open { "</ul></li>" } else { "" };
            html += &format!("<li value=\"{number}\"><p>{}</p><ul>", text(title));
            open = true;
            continue;
        }
        if !open {
            html += "<li><ul>";
            open = true;
        }
        html += &format!("<li>{}</li>", sentence(scene, row));
    }
    html + if open { "</ul></li>" } else { "" }
}

fn sentence(scene: &Scene<'_>, row: &Row) -> String {
    match row {
        Row::Step { title, .. } => text(title),
        Row::Note { lane, lines, more } => {
            let lines: Vec<String> = lines.iter().map(|line| marked(line.trim())).collect();
            let more = if *more > 0 { format!("; and {more} more") } else { String::new() };
            format!("{}: {}{more}", named(scene, *lane), lines.join("; "))
        }
        Row::Arrow(arrow) | Row::Start(arrow) => between(scene, arrow) + &said(arrow),
        Row::Fold { like, more } => format!("{more} times more: {}", between(scene, like)),
        Row::End { lane, how } => format!("{} ends: {}", named(scene, *lane), text(how)),
    }
}

fn between(scene: &Scene<'_>, Arrow { kind, from, to, .. }: &Arrow) -> String {
    let (from, to) = (named(scene, *from), named(scene, *to));
    match kind {
        ArrowKind::Message => format!("{from} sends {to} a message"),
        ArrowKind::Handle => format!("{from} sends {to} a handle"),
        ArrowKind::Connection => format!("{from} connects to {to}"),
        ArrowKind::Signal => format!("{from} sends {to} a signal"),
        ArrowKind::Start => format!("{from} starts {to}"),
        ArrowKind::Exit => format!("{from} ends, and {to} learns how"),
    }
}

fn said(arrow: &Arrow) -> String {
    if arrow.text.is_empty() { String::new() } else { format!(": {}", marked(&arrow.text)) }
}

fn named(scene: &Scene<'_>, lane: usize) -> String {
    let lane = scene.lane(lane);
    format!("<b class=\"voice {}\">{}</b>", class_of(&lane.voice), text(&lane.name))
}
