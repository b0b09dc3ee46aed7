//! A scene as a list in words: what a screen reader says, what is printed, and what is there without JavaScript.

use transcript::ArrowKind;

use super::scene::{Arrow, Event, Scene};
use crate::colours::class_of;
use crate::html::text;

/// An item for each step with a list of what happens in it.
pub(super) fn list(scene: &Scene) -> String {
    let mut html = String::new();
    let mut open = false;
    for event in &scene.events {
        if let Event::Step { number, title } = event {
            html += if open { "</ul></li>" } else { "" };
            html += &format!("<li value=\"{number}\"><p>{}</p><ul>", text(title));
            open = true;
            continue;
        }
        if !open {
            html += "<li><ul>";
            open = true;
        }
        html += &format!("<li>{}</li>", sentence(event));
    }
    html + if open { "</ul></li>" } else { "" }
}

fn sentence(event: &Event) -> String {
    match event {
        Event::Step { title, .. } => text(title),
        Event::Note { voice, lines, more } => {
            let lines: Vec<String> = lines.iter().map(|line| text(line.trim())).collect();
            let more = if *more > 0 { format!("; and {more} more") } else { String::new() };
            format!("{}: {}{more}", named(voice), lines.join("; "))
        }
        Event::Arrow(arrow) => between(arrow) + &said(arrow),
        Event::Fold { like, more } => format!("{more} times more: {}", between(like)),
    }
}

fn between(Arrow { kind, from, to, .. }: &Arrow) -> String {
    let (from, to) = (named(from), named(to));
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
    if arrow.text.is_empty() { String::new() } else { format!(": {}", text(&arrow.text)) }
}

fn named(voice: &str) -> String {
    format!("<b class=\"voice {}\">{}</b>", class_of(voice), text(voice))
}
