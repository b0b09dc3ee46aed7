//! A scene as the source of a mermaid `sequenceDiagram`.

use std::fmt::Write;

use transcript::ArrowKind;

use super::scene::{Arrow, Event, Scene};

/// The most lines that one line of a transcript may become in a note.
const LINES: usize = 2;
/// The width of what stands on an arrow.
const LABEL: usize = 40;

/// The width of a note in characters: narrower where lanes stand closer together, as `settings` of `diagrams.js` has them.
fn note_width(lanes: usize) -> usize {
    match lanes {
        0..=3 => 34,
        4 => 30,
        _ => 26,
    }
}

pub(super) fn source(scene: &Scene) -> String {
    let width = note_width(scene.voices.len());
    let mut text = String::from("sequenceDiagram\n");
    for (lane, voice) in scene.voices.iter().enumerate() {
        let _ = writeln!(text, "participant p{lane} as {}", escaped(voice));
    }
    let lane = |voice: &str| scene.voices.iter().position(|known| known == voice).unwrap_or(0);
    let last = scene.voices.len().saturating_sub(1);
    let all = if last == 0 { "p0".to_owned() } else { format!("p0,p{last}") };
    for event in &scene.events {
        let _ = match event {
            Event::Step { number, title } => writeln!(text, "Note over {all}: {number}. {}", escaped(title)),
            Event::Note { voice, lines, more } => {
                // Of several lines, each begins with a dot: one may go on in the next.
                let dot = if lines.len() > 1 { "• " } else { "" };
                let broken = lines.iter().flat_map(|line| broken(&format!("{dot}{line}"), width));
                let mut shown: Vec<String> = broken.map(|line| escaped(&line)).collect();
                if *more > 0 {
                    shown.push(format!("… {more} more {}", if *more == 1 { "line" } else { "lines" }));
                }
                writeln!(text, "Note over p{}: {}", lane(voice), shown.join("<br/>"))
            }
            Event::Arrow(arrow) => {
                let (from, to) = (lane(&arrow.from), lane(&arrow.to));
                writeln!(text, "p{from}{}p{to}: {}", shaft(arrow.kind), escaped(&label(arrow)))
            }
            Event::Fold { like, more } => {
                let (from, to) = (lane(&like.from), lane(&like.to));
                let over = if from == to { format!("p{from}") } else { format!("p{from},p{to}") };
                writeln!(text, "Note over {over}: … {more} more of these ({})", like.kind.name())
            }
        };
    }
    text
}

/// What stands on an arrow: its kind, but for the most common one.
fn label(arrow: &Arrow) -> String {
    let text = match arrow.kind {
        ArrowKind::Message => arrow.text.clone(),
        kind if arrow.text.is_empty() => kind.name().to_owned(),
        kind => format!("{}: {}", kind.name(), arrow.text),
    };
    cut(&text, LABEL)
}

/// mermaid's arrow for a kind. The page gives them their looks; these differ where it does not.
fn shaft(kind: ArrowKind) -> &'static str {
    match kind {
        ArrowKind::Message => "->>",
        ArrowKind::Handle | ArrowKind::Start => "-->>",
        ArrowKind::Connection => "-)",
        ArrowKind::Signal => "-x",
        ArrowKind::Exit => "--x",
    }
}

/// A line as the lines of a note.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().map(|line| (line.chars().count(), line));
        match last {
            Some((0, line)) => line.push_str(&cut(word, width)),
            Some((length, line)) if length + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(cut(word, width)),
        }
    }
    if lines.len() > LINES {
        lines.truncate(LINES);
        if let Some(last) = lines.last_mut() {
            last.push_str(" …");
        }
    }
    lines
}

/// `text` in at most `width` characters, an ellipsis for what is missing.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "…"
}

/// Text in which nothing means anything to mermaid. It takes what is escaped for wider than it is, so there is no more of that than must be.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '#' | ';' | '<' | '>' | '&' | '%' | '$' => {
                let _ = write!(escaped, "#{};", u32::from(c));
            }
            '\n' | '\r' | '\t' => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    // These words have a meaning for it at the beginning of a text.
    match escaped.split_once(':') {
        Some((word @ ("wrap" | "nowrap"), rest)) => format!("{word}#58;{rest}"),
        _ => escaped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_means_anything_to_mermaid() {
        assert_eq!(escaped("a; #b \"c\" <d>\n%%"), "a#59; #35;b \"c\" #60;d#62; #37;#37;");
        assert_eq!(escaped("wrap: it"), "wrap#58; it");
    }

    #[test]
    fn long_lines_are_broken_and_cut() {
        assert_eq!(
            broken("one two three four five six seven eight nine ten", 34),
            ["one two three four five six seven", "eight nine ten"]
        );
        assert_eq!(broken(&"word ".repeat(30), 34)[1], format!("{} …", "word ".repeat(7).trim_end()));
        assert_eq!(broken("", 34), [""]);
        assert_eq!(cut("abcdef", 4), "abc…");
    }
}
