//! A recorded run for the terminal: the transcript as in a plain run, and under each line the calls of that moment.

use recording::{Explained, Language, Recording, What, explain};
use transcript::{Line, Look};

use crate::catalogue::{Catalogue, Lab};
use crate::failure::{Ending, Failure};
use crate::options::Options;
use crate::record::{Recorded, record};
use crate::terminal::{self, DIM, Page, wrap};

/// How far calls are indented under the line that they follow.
const INDENT: usize = 5;

pub(crate) fn run(catalogue: &Catalogue, lab: &Lab, language: Language, options: &Options) -> Result<Ending, Failure> {
    let Recorded { recording, printed, ended } = record(catalogue, lab, language, options)?;
    let text = if options.json { recording.to_jsonl() } else { text(&recording, Page::of_stdout()) + &printed };
    // After Ctrl-C, what was recorded is shown; that nobody reads it is then no news.
    match ended {
        Ok(ending) => terminal::print(&text).map(|()| ending),
        Err(stopped) => {
            let _ = terminal::print(&text);
            Err(stopped)
        }
    }
}

fn text(recording: &Recording, page: Page) -> String {
    let look = Look { coloured: page.coloured, width: recording.voices_width() };
    let mut text = String::new();
    let mut facts = false;
    for (event, explained) in recording.events.iter().zip(explain(recording)) {
        if let What::Line { line, .. } = &event.what {
            if matches!(line, Line::Fact { .. }) && !std::mem::replace(&mut facts, true) {
                text += &transcript::facts_heading(look);
            }
            text += &transcript::render(line, look);
        }
        text.extend(explained.map(|explained| lines(&explained, page)));
    }
    text
}

/// The lines of a call, dimmed, and its meaning: from the middle of the page on where there is room, otherwise beneath.
fn lines(explained: &Explained, page: Page) -> String {
    let Explained { name, text, meaning } = explained;
    let call = format!("[{name}] {text}");
    let width = page.width - INDENT;
    let column = (page.width / 2 - INDENT).max(call.chars().count() + 2);
    let mut lines: Vec<String> = Vec::new();
    if !meaning.is_empty() && column + meaning.chars().count() <= width {
        lines.push(format!("{call:column$}{meaning}"));
    } else {
        let hang = |indent: usize, line: String| format!("{}{line}", " ".repeat(indent));
        let call = wrap(&call, width - 2).into_iter().enumerate();
        lines.extend(call.map(|(at, line)| hang(if at == 0 { 0 } else { 2 }, line)));
        lines.extend(wrap(meaning, width - 4).into_iter().map(|line| hang(4, line)));
    }
    let dimmed = |line: String| format!("{}\n", page.paint(&format!("{}{line}", " ".repeat(INDENT)), DIM));
    lines.into_iter().map(dimmed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meanings_stand_beside_short_calls_and_beneath_long_ones() {
        let page = Page { coloured: false, width: 80 };
        let explained = |text: &str, meaning: &str| Explained {
            name: "parent".to_owned(),
            text: text.to_owned(),
            meaning: meaning.to_owned(),
        };
        assert_eq!(
            lines(&explained("dup2(5, 1) = 1", "descriptor 1 now means what 5 meant"), page),
            "     [parent] dup2(5, 1) = 1            descriptor 1 now means what 5 meant\n"
        );
        let text = format!("write → a pipe: \"one two three {}…\" (65,536 bytes)", "0".repeat(100));
        assert_eq!(
            lines(&explained(&text, "65,536 bytes to a pipe"), page),
            format!(
                "     [parent] write → a pipe: \"one two three\n       {}\n       {}…\" (65,536 bytes)\n         \
                 65,536 bytes to a pipe\n",
                "0".repeat(73),
                "0".repeat(27)
            )
        );
    }
}
