//! The question before a run and the answer after it.
//!
//! The terminal stays in its ordinary mode: the kernel edits the line, and Ctrl-C ends this process before anything was started.

use std::io;

use crate::catalogue::{Lab, Question};
use crate::failure::{Ending, Failure};
use crate::options::{How, Options};
use crate::terminal::{BOLD, Page, somebody_is_there, wrap};

/// What the reader expects, if there was a reader to ask.
#[derive(Debug)]
pub(crate) struct Prediction<'a> {
    /// The question and the number of the choice, from 1; no number when the reader skipped it.
    asked: Option<(&'a Question, Option<usize>)>,
}

impl<'a> Prediction<'a> {
    /// Asks, where somebody is there to answer and the run shows what is asked about.
    pub(crate) fn ask(lab: &'a Lab, options: &Options) -> Result<Prediction<'a>, Failure> {
        let wanted =
            !options.no_predict && !options.json && options.how() != How::Compare && options.arguments.is_empty();
        let asked = match &lab.prediction {
            Some(question) if wanted && somebody_is_there() => Some((question, choose(question)?)),
            _ => None,
        };
        Ok(Prediction { asked })
    }

    /// After the run: the answer, whether the prediction was right, and why.
    pub(crate) fn answer(self, ending: Ending) {
        if let (Some((question, choice)), Ending::SUCCESS) = (self.asked, ending) {
            eprint!("\n{}", verdict(question, choice, Page::of_stdout()));
        }
    }
}

/// The number of the choice; nothing when it is skipped.
fn choose(question: &Question) -> Result<Option<usize>, Failure> {
    let page = Page::of_stdout();
    for line in wrap(&format!("Before it runs: {}", question.question), page.width) {
        eprintln!("{}", page.paint(&line, BOLD));
    }
    for (number, choice) in (1..).zip(&question.choices) {
        let mut lead = format!("  {number}. ");
        for line in wrap(choice, page.width - 6) {
            eprintln!("{lead}{line}");
            lead = " ".repeat(5);
        }
    }
    for prompt in ["Your prediction (Enter skips): ", "A number from the list (Enter skips): "] {
        eprint!("{prompt}");
        let mut line = String::new();
        let length =
            io::stdin().read_line(&mut line).map_err(|error| Failure::trouble("read the prediction", error))?;
        if length == 0 {
            eprintln!();
        }
        if line.trim().is_empty() {
            eprintln!();
            return Ok(None);
        }
        if let Some(choice) = understand(&line, question) {
            eprintln!();
            return Ok(Some(choice));
        }
    }
    eprintln!("No number from the list either: skipped. The answer comes after the run.\n");
    Ok(None)
}

fn understand(line: &str, question: &Question) -> Option<usize> {
    let number = line.trim().trim_end_matches('.').parse().ok()?;
    (1..=question.choices.len()).contains(&number).then_some(number)
}

fn verdict(question: &Question, choice: Option<usize>, page: Page) -> String {
    let answer = question.choices.get(question.answer.saturating_sub(1)).map_or("", String::as_str);
    let told = format!("The answer is {}: {answer}.", question.answer);
    let heading = match choice {
        Some(choice) if choice == question.answer => format!("Your prediction was right: {answer}."),
        Some(_) => format!("Not as you predicted. {told}"),
        None => told,
    };
    let mut text = String::new();
    for line in wrap(&heading, page.width) {
        text += &format!("{}\n", page.paint(&line, BOLD));
    }
    for line in wrap(&question.because, page.width) {
        text += &format!("{line}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        Question {
            question: "Which?".into(),
            choices: vec!["this".into(), "that".into()],
            answer: 2,
            because: "It is so.".into(),
        }
    }

    #[test]
    fn only_the_numbers_of_choices_are_understood() {
        let understood = ["1\n", " 2. \n", "0\n", "3\n", "two\n", "-1\n"].map(|line| understand(line, &question()));
        assert_eq!(understood, [Some(1), Some(2), None, None, None, None]);
    }

    #[test]
    fn the_answer_names_the_choice_and_the_reason() {
        let page = Page { coloured: false, width: 80 };
        assert_eq!(verdict(&question(), Some(2), page), "Your prediction was right: that.\nIt is so.\n");
        assert_eq!(verdict(&question(), Some(1), page), "Not as you predicted. The answer is 2: that.\nIt is so.\n");
        assert_eq!(verdict(&question(), None, page), "The answer is 2: that.\nIt is so.\n");
    }
}
