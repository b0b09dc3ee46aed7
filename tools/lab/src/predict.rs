//! The question before a run and the answer after it.
//!
//! The terminal stays in its ordinary mode: the kernel edits the line, and Ctrl-C ends this process before anything was started.

use std::io;

use manifest::{Answer, Prediction};
use recording::Language;

use crate::catalogue::Lab;
use crate::failure::{Ending, Failure};
use crate::options::{How, Options};
use crate::terminal::{BOLD, Page, somebody_is_there, wrap};

/// A question that was asked before the run.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    prediction: &'a Prediction,
    /// What the run will show.
    answer: &'a Answer,
    /// The number that the learner chose, from 1. None if the learner skipped the question.
    choice: Option<usize>,
}

impl<'a> Asked<'a> {
    /// Asks for a prediction, if a person can answer and the run shows what the question is about.
    pub(crate) fn ask(lab: &'a Lab, options: &Options) -> Result<Option<Asked<'a>>, Failure> {
        let wanted =
            !options.no_predict && !options.json && options.how() != How::Compare && options.arguments.is_empty();
        if !wanted || !somebody_is_there() {
            return Ok(None);
        }
        let prediction = &lab.prediction;
        let answer = match options.language() {
            Language::Rust => &prediction.rust,
            Language::Node => &prediction.node,
        };
        Ok(Some(Asked { prediction, answer, choice: choose(prediction)? }))
    }

    /// Prints the answer after the run, whether the prediction was right, and the reason.
    pub(crate) fn conclude(self, ending: Ending) {
        if ending == Ending::SUCCESS {
            eprint!("\n{}", self.verdict(Page::of_stdout()));
        }
    }

    fn verdict(&self, page: Page) -> String {
        let Asked { prediction, answer, choice } = self;
        let words = prediction.chosen(answer);
        let told = format!("The answer is {}: {words}.", answer.choice);
        let heading = match choice {
            Some(choice) if *choice == answer.choice => format!("Your prediction was right: {words}."),
            Some(_) => format!("Not as you predicted. {told}"),
            None => told,
        };
        let heading = wrap(&heading, page.width).into_iter().map(|line| page.paint(&line, BOLD));
        heading.chain(wrap(&answer.because, page.width)).map(|line| line + "\n").collect()
    }
}

/// The number of the choice; nothing when it is skipped.
fn choose(prediction: &Prediction) -> Result<Option<usize>, Failure> {
    let page = Page::of_stdout();
    for line in wrap(&format!("Before it runs: {}", prediction.question), page.width) {
        eprintln!("{}", page.paint(&line, BOLD));
    }
    for (number, choice) in (1..).zip(&prediction.choices) {
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
        if let Some(choice) = understand(&line, prediction) {
            eprintln!();
            return Ok(Some(choice));
        }
    }
    eprintln!("No number from the list either: skipped. The answer comes after the run.\n");
    Ok(None)
}

fn understand(line: &str, prediction: &Prediction) -> Option<usize> {
    let number = line.trim().trim_end_matches('.').parse().ok()?;
    (1..=prediction.choices.len()).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::tests::lab;

    #[test]
    fn only_the_numbers_of_choices_are_understood() {
        let understood = ["1\n", " 2. \n", "0\n", "3\n", "two\n", "-1\n"]
            .map(|line| understand(line, &lab("90-made-up").prediction));
        assert_eq!(understood, [Some(1), Some(2), None, None, None, None]);
    }

    #[test]
    fn the_answer_names_the_choice_and_the_reason() {
        let page = Page { coloured: false, width: 80 };
        let prediction = &lab("90-made-up").prediction;
        let verdict = |answer, choice| Asked { prediction, answer, choice }.verdict(page);
        assert_eq!(verdict(&prediction.rust, Some(2)), "Your prediction was right: that.\nIt is so.\n");
        assert_eq!(verdict(&prediction.rust, Some(1)), "Not as you predicted. The answer is 2: that.\nIt is so.\n");
        assert_eq!(verdict(&prediction.rust, None), "The answer is 2: that.\nIt is so.\n");
        assert_eq!(verdict(&prediction.node, Some(1)), "Your prediction was right: this.\nIt is so.\n", "by Node's");
    }
}
