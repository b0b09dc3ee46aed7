//! Inside a line of text: `{{#fact 05 name}}`, `{{#seen 05 2 words}}`, `{{#claim 16}}`.

use manifest::Lab;
use recording::Language;
use recording::marks::redacted;
use transcript::{Look, render};

use super::claims::{self, CLAIMS};
use super::output::{fact_anchor, line_anchor, no_step};
use super::page::Page;
use crate::failure::Error;
use crate::html::inline;

pub(super) fn fact(page: &Page<'_>, words: &str) -> Result<String, Error> {
    let (lab, name) = lab_and_rest(page, words)?;
    let run = page.catalogue.run(lab, Language::Rust)?;
    let value = run.facts().find(|(fact, _)| *fact == name).map(|(_, value)| value).ok_or_else(|| {
        let names: Vec<String> = run.facts().map(|(fact, _)| format!("{fact:?}")).collect();
        Error::new(
            format!("fact {name:?}"),
            format!("lab {} has none of this name, but {}", lab.number(), names.join(", ")),
        )
    })?;
    let link = link(page, lab, &fact_anchor(Language::Rust, name));
    let differs = lab.differs.iter().find(|one| one.fact == name);
    let in_node = differs.map(|one| format!(" (in Node {})", inline(&one.node))).unwrap_or_default();
    Ok(format!("<a class=\"fact\" href=\"{link}\">{}</a>{in_node}", inline(value)))
}

/// The words may have placeholders, `[PID]`, for the values that vary between runs.
pub(super) fn seen(page: &Page<'_>, words: &str) -> Result<String, Error> {
    let (lab, rest) = lab_and_rest(page, words)?;
    let (number, wanted) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let run = page.catalogue.run(lab, Language::Rust)?;
    let step = number.parse().ok().and_then(|number| run.step(number));
    let step = step.ok_or_else(|| no_step(lab, number, Language::Rust))?;
    let wanted = spaced(wanted);
    let line = run.said(&step).position(|line| spaced(&redacted(&render(line, Look::default()))).contains(&wanted));
    let line = line.ok_or_else(|| {
        Error::new(
            format!("{wanted:?}"),
            format!("no line of lab {}, step {}, has these words", lab.number(), step.number),
        )
    })?;
    let link = link(page, lab, &line_anchor(Language::Rust, step.number, line));
    Ok(format!("<a class=\"seen\" href=\"{link}\">lab {}, step {}</a>", lab.number(), step.number))
}

pub(super) fn claim(page: &Page<'_>, words: &str) -> Result<String, Error> {
    let number = words.parse().ok().filter(|number| (1..=CLAIMS).contains(number));
    let number = number.ok_or_else(|| Error::new(format!("claim {words:?}"), format!("they go from 1 to {CLAIMS}")))?;
    let anchor = claims::anchor(number);
    Ok(format!("<a class=\"claim\" href=\"{}{}#{anchor}\">claim {number}</a>", page.to_root(), claims::PAGE))
}

fn lab_and_rest<'a, 'w>(page: &Page<'a>, words: &'w str) -> Result<(&'a Lab, &'w str), Error> {
    let (number, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    Ok((page.catalogue.by_number(number)?, rest.trim()))
}

/// Words with one space between them.
fn spaced(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// To a place in a lab's chapter.
fn link(page: &Page<'_>, lab: &Lab, anchor: &str) -> String {
    if page.lab.is_some_and(|own| own.name == lab.name) {
        return format!("#{anchor}");
    }
    format!("{}labs/{}.md#{anchor}", page.to_root(), lab.name)
}
