//! What the terminal can show, and writing to it.

use std::io::{self, IsTerminal, Write};

use anstyle::Style;

use crate::failure::Failure;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// The width to lay text out for when nothing is known about the reader.
const PLAIN_WIDTH: usize = 80;

/// How stdout is to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) coloured: bool,
    /// In characters.
    pub(crate) width: usize,
}

impl Page {
    /// The page that stdout is: as wide as the terminal, and 80 columns without colours where there is none.
    pub(crate) fn of_stdout() -> Page {
        let terminal = io::stdout().is_terminal();
        let width = terminal.then(|| terminal_size::terminal_size_of(io::stdout())).flatten();
        let width = width.map_or(PLAIN_WIDTH, |(width, _)| usize::from(width.0).clamp(40, 160));
        Page { coloured: terminal && colours_wanted(), width }
    }

    pub(crate) fn paint(self, text: &str, style: Style) -> String {
        if self.coloured { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Whether `NO_COLOR` leaves the choice to us (no-color.org).
pub(crate) fn colours_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether somebody sits in front of all three standard descriptors.
pub(crate) fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// Writes what was asked for to stdout.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

/// `text` as lines of at most `width` characters, broken between words; only a word that is longer is broken itself.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => {
                let letters: Vec<char> = word.chars().collect();
                lines.extend(letters.chunks(width).map(String::from_iter));
            }
        }
    }
    lines
}

/// `text` in at most `width` characters, an ellipsis for what is missing.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// One line on stderr that is written over again and again, and gone at the end. Nothing at all where stderr is no terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: bool,
}

impl Progress {
    const ERASE: &str = "\r\x1b[K";

    pub(crate) fn new() -> Progress {
        Progress { shown: false }
    }

    /// Shows `text`, and returns whether stderr is a terminal.
    pub(crate) fn show(&mut self, text: &str) -> bool {
        if let Some((width, _)) = terminal_size::terminal_size_of(io::stderr()) {
            let text = cut(text, usize::from(width.0).saturating_sub(1));
            let text = if colours_wanted() { format!("{DIM}{text}{DIM:#}") } else { text };
            eprint!("{}{text}", Self::ERASE);
            self.shown = true;
        }
        self.shown
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            eprint!("{}", Self::ERASE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_wrap_and_none_is_lost() {
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrap("a verylongword b", 4), ["a", "very", "long", "word", "b"]);
        assert_eq!(cut("ééé", 3), "ééé");
        assert_eq!(cut("éééé", 3), "éé…");
    }
}
