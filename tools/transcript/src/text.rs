//! One line of a transcript as text for people.

use anstyle::{AnsiColor, Style};
use serde::{Deserialize, Serialize};

use crate::record::Line;

/// How the text is laid out.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Look {
    /// With the processes' colours: only on a terminal, and not with `NO_COLOR` (no-color.org).
    pub coloured: bool,
    /// The width of the column of voices, in characters.
    pub width: usize,
}

/// The colours that the processes take, in the order of the palette. All of them can be read on black and on white.
const PALETTE: [AnsiColor; 6] =
    [AnsiColor::Blue, AnsiColor::Green, AnsiColor::Magenta, AnsiColor::Yellow, AnsiColor::Cyan, AnsiColor::Red];

/// The colour of a process, by its name alone, so that it is the same in every run, lab and picture:
///
/// 1. `parent` and `primary` have the first colour of the palette;
/// 2. a name that ends in a number (`worker 2`) has the colour that many places further on, round the rest of the palette;
/// 3. any other name counts as number 1, except those that stand beside such a one: `copy`, `execFile`, `node`, `second` and `shell` count as
///    number 2, `python` as number 3.
pub fn colour_of(voice: &str) -> AnsiColor {
    let number = || voice.rsplit(' ').next().and_then(|word| word.parse::<usize>().ok());
    match voice {
        "parent" | "primary" => PALETTE[0],
        "copy" | "execFile" | "node" | "second" | "shell" => PALETTE[2],
        "python" => PALETTE[3],
        _ => PALETTE[1 + (number().unwrap_or(1).max(1) - 1) % (PALETTE.len() - 1)],
    }
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// `line` as it is printed, newline included.
pub fn render(line: &Line, look: Look) -> String {
    match line {
        Line::Step { step, title } => {
            let gap = if *step == 1 { "" } else { "\n" };
            format!("{gap}{}\n", paint(&format!("{step}. {title}"), BOLD, look))
        }
        Line::Say { voice, text } => format!("   {}  {text}\n", name(voice, look)),
        Line::Arrow { arrow, from, to, text } => {
            let shaft = paint(&format!("──{}──▶", arrow.name()), DIM, look);
            let to = paint(to, colour_of(to).on_default(), look);
            format!("   {}  {shaft} {to}  {text}\n", name(from, look))
        }
        Line::Fact { fact, value } => format!("   {fact}: {}\n", paint(value, BOLD, look)),
    }
}

/// What stands before the first fact.
pub fn facts_heading(look: Look) -> String {
    format!("\n{}\n", paint("Facts", BOLD, look))
}

/// A voice in its colour, padded to the width of the column.
fn name(voice: &str, look: Look) -> String {
    let padding = " ".repeat(look.width.saturating_sub(voice.chars().count()));
    paint(voice, colour_of(voice).on_default(), look) + &padding
}

fn paint(text: &str, style: Style, look: Look) -> String {
    if look.coloured { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ArrowKind;

    #[test]
    fn plain_text_has_no_escape_and_stays_in_its_columns() {
        let look = Look { coloured: false, width: 6 };
        let say = Line::Say { voice: "child".into(), text: "hello".into() };
        assert_eq!(render(&say, look), "   child   hello\n");
        let arrow =
            Line::Arrow { arrow: ArrowKind::Signal, from: "parent".into(), to: "child".into(), text: "SIGTERM".into() };
        assert_eq!(render(&arrow, look), "   parent  ──signal──▶ child  SIGTERM\n");
    }

    #[test]
    fn neighbours_differ_in_colour() {
        let voices = ["parent", "worker 1", "worker 2", "worker 3", "worker 4", "worker 5"];
        for (i, a) in voices.iter().enumerate() {
            for b in &voices[i + 1..] {
                assert_ne!(colour_of(a), colour_of(b), "{a} and {b}");
            }
        }
        assert_eq!(colour_of("worker 1"), colour_of("worker 6"), "the palette goes round");
    }
}
