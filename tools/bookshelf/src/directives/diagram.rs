//! `{{#diagram}}`, `{{#diagram 2}}`, `{{#diagram 2-4}}`: the recorded run as a sequence diagram.
//!
//! It is `figure.diagram[data-lab][data-steps][data-language]`: in it `div.drawing`, and `details.words > ol`, which says the same.

use std::ops::RangeInclusive;

use super::output::LEGEND;
use super::page::Page;
use super::tabs::tabs;
use crate::diagram;
use crate::failure::Error;
use crate::html::text;

pub(super) fn diagram(page: &Page<'_>, words: &str, count: usize) -> Result<String, Error> {
    let number = page.lab()?.number();
    let steps = steps(words)?;
    let title = match &steps {
        None => format!("Lab {number}, from beginning to end"),
        Some(steps) if steps.start() == steps.end() => format!("Lab {number}, step {}", steps.start()),
        Some(steps) => format!("Lab {number}, steps {} to {}", steps.start(), steps.end()),
    };
    let id = format!("diagram-{number}-{count}");
    let mut panels = Vec::new();
    for (language, run) in page.runs()? {
        let last = run.steps().last().map_or(0, |step| step.number);
        if let Some(steps) = &steps
            && (*steps.start() < 1 || steps.start() > steps.end() || *steps.end() > last)
        {
            return Err(Error::new(format!("diagram {words}"), format!("lab {number} has the steps 1 to {last}")));
        }
        let drawn = diagram::diagram(&run, steps.as_ref());
        let id = format!("{id}-{}", language.name());
        let legend = if drawn.drawing.contains("class=\"varies\"") { LEGEND } else { "" };
        let html = format!(
            "<figure class=\"diagram\" id=\"{id}\" data-lab=\"{number}\" data-steps=\"{}\" data-language=\"{}\">\
             <div class=\"drawing\" role=\"img\" aria-labelledby=\"{id}-title\" aria-describedby=\"{id}-words\">{}</div>\
             <figcaption><span id=\"{id}-title\">{title}, in {language}</span>{legend}</figcaption>\
             <details class=\"words\"><summary>In words</summary><ol id=\"{id}-words\">{}</ol></details></figure>",
            text(words),
            language.name(),
            drawn.drawing,
            drawn.words,
        );
        panels.push((language.to_string(), html));
    }
    Ok(tabs(&format!("{id}-tab"), panels))
}

/// The steps that `2`, `2-4` or nothing mean.
pub(crate) fn steps(words: &str) -> Result<Option<RangeInclusive<u32>>, Error> {
    if words.is_empty() {
        return Ok(None);
    }
    let (first, last) = words.split_once('-').unwrap_or((words, words));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) => Ok(Some(first..=last)),
        _ => Err(Error::new(format!("diagram {words}"), "steps are a number, or two with a hyphen between them")),
    }
}
