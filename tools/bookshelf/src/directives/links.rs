//! Inside a line of text: `{{#fact 05 name}}`, `{{#seen 05 2 words}}`, `{{#claim 16}}`.

use super::claims::{self, CLAIMS};
use super::output::{fact_anchor, line_anchor};
use super::page::Page;
use crate::catalogue::Lab;
use crate::failure::Error;
use crate::html::inline;

pub(super) fn fact(page: &Page<'_>, words: &str) -> Result<String, Error> {
    let (lab, name) = lab_and_rest(page, words)?;
    let fact = lab.expected.facts.iter().find(|fact| fact.name == name).ok_or_else(|| {
        let names: Vec<String> = lab.expected.facts.iter().map(|fact| format!("{:?}", fact.name)).collect();
        Error::new(
            format!("fact {name:?}"),
            format!("lab {} has none of this name, but {}", lab.number(), names.join(", ")),
        )
    })?;
    let link = link(page, lab, &fact_anchor(name));
    Ok(format!("<a class=\"fact\" href=\"{link}\">{}</a>", inline(&fact.value)))
}

pub(super) fn seen(page: &Page<'_>, words: &str) -> Result<String, Error> {
    let (lab, rest) = lab_and_rest(page, words)?;
    let (number, wanted) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let step = number.parse().ok().and_then(|number| lab.expected.step(number));
    let step = step.ok_or_else(|| Error::new(format!("step {number:?}"), format!("lab {} has none", lab.number())))?;
    let wanted = spaced(wanted);
    let line = step.lines.iter().position(|line| spaced(&format!("{} {}", line.voice, line.words())).contains(&wanted));
    let line = line.ok_or_else(|| {
        Error::new(
            format!("{wanted:?}"),
            format!("no line of lab {}, step {}, has these words", lab.number(), step.number),
        )
    })?;
    let link = link(page, lab, &line_anchor(step.number, line));
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
