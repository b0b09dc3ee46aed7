//! `{{#diagram}}`, `{{#diagram 2}}`, `{{#diagram 2-4}}`: the recorded run as a sequence diagram.
//!
//! It is `figure.diagram[data-lab][data-steps]`: in it `div.drawing`, whose `data-` attributes hold what `diagrams.js` draws, and
//! `details.words > ol`, which says the same.

use std::ops::RangeInclusive;

use super::page::Page;
use crate::diagram;
use crate::failure::Error;
use crate::html::text;

pub(super) fn diagram(page: &Page<'_>, words: &str, count: usize) -> Result<String, Error> {
    let lab = page.lab()?;
    let number = lab.number();
    let steps = steps(words)?;
    let last = lab.expected.steps.last().map_or(0, |step| step.number);
    if let Some(steps) = &steps
        && (*steps.start() < 1 || steps.start() > steps.end() || *steps.end() > last)
    {
        return Err(Error::new(format!("diagram {words}"), format!("lab {number} has the steps 1 to {last}")));
    }
    let title = match &steps {
        None => format!("Lab {number}, from beginning to end"),
        Some(steps) if steps.start() == steps.end() => format!("Lab {number}, step {}", steps.start()),
        Some(steps) => format!("Lab {number}, steps {} to {}", steps.start(), steps.end()),
    };
    let drawn = diagram::diagram(&page.catalogue.recorded_run(lab)?, steps);
    let id = format!("diagram-{number}-{count}");
    Ok(format!(
        "<figure class=\"diagram\" id=\"{id}\" data-lab=\"{number}\" data-steps=\"{}\">\
         <div class=\"drawing\" role=\"img\" tabindex=\"0\" aria-labelledby=\"{id}-title\" aria-describedby=\"{id}-words\" \
         data-mermaid=\"{}\" data-lanes=\"{}\" data-arrows=\"{}\" data-notes=\"{}\" hidden></div>\
         <figcaption id=\"{id}-title\">{title}</figcaption>\
         <details class=\"words\" open><summary>In words</summary><ol id=\"{id}-words\">{}</ol></details></figure>",
        text(words),
        text(&drawn.mermaid),
        drawn.lanes.join(" "),
        drawn.arrows.join(" "),
        drawn.notes.join(" "),
        drawn.words,
    ))
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
