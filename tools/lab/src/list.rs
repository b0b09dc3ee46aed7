//! The list that `cargo lab` alone prints.

use crate::catalogue::{Catalogue, Lab};
use crate::failure::Failure;
use crate::terminal::{self, BOLD, DIM, Page, wrap};

/// Lines of running text are not made longer than this, however wide the terminal is.
const READABLE: usize = 100;

pub(crate) fn print(catalogue: &Catalogue) -> Result<(), Failure> {
    terminal::print(&text(&catalogue.labs, Page::of_stdout()))
}

/// Two columns: the name of the lab over its minutes and needs; its title over its summary.
fn text(labs: &[Lab], page: Page) -> String {
    let column = labs.iter().map(|lab| lab.name.chars().count()).max().unwrap_or(0) + 4;
    let width = page.width.min(READABLE).saturating_sub(column).max(20);
    let mut text = String::new();
    for lab in labs {
        let needs = match lab.needs.is_empty() {
            true => String::new(),
            false => format!("needs {}", lab.needs.join(", ")),
        };
        let left = [(lab.name.clone(), BOLD), (format!("{} min", lab.minutes), DIM)].into_iter();
        let below = wrap(&needs, column - 4);
        let mut left = left.chain(below.into_iter().map(|line| (line, DIM)));
        let titles = wrap(&lab.title, width).into_iter().map(|line| page.paint(&line, BOLD));
        let mut right = titles.chain(wrap(&lab.summary, width));
        loop {
            let (cell, line) = (left.next(), right.next());
            if cell.is_none() && line.is_none() {
                break;
            }
            let (cell, style) = cell.unwrap_or_default();
            let padding = " ".repeat((column - 2).saturating_sub(cell.chars().count()));
            let row = format!("  {}{padding}{}", page.paint(&cell, style), line.unwrap_or_default());
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text.push('\n');
    }
    let example = labs.iter().find(|lab| !lab.name.starts_with("00")).or(labs.first());
    let example = example.and_then(|lab| lab.name.split('-').next()).unwrap_or("01");
    text + &format!("Run one with `cargo lab {example}`; `cargo lab --help` says what more it can do.\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::tests::lab;

    #[test]
    fn the_list_stays_inside_its_page_and_says_all() {
        let text = text(&[lab("00-process")], Page { coloured: false, width: 80 });
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        for part in ["00-process", "4 min", "needs", "wrk", "nginx", "What a process is", "does not", "cargo lab 00"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
