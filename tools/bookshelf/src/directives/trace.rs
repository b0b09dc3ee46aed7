//! `{{#trace}}` and `{{#trace 2}}`: the recorded system calls, and between them what the processes say.

use transcript::{Line, Look, render};

use super::output::no_step;
use super::page::Page;
use super::tabs::tabs;
use crate::colours::class_of;
use crate::failure::Error;
use crate::html::text;
use crate::run::{Run, line};

pub(super) fn trace(page: &Page<'_>, words: &str, count: usize) -> Result<String, Error> {
    let lab = page.lab()?;
    let number = lab.number();
    let (mut panels, mut counts) = (Vec::new(), Vec::new());
    for (language, run) in page.runs()? {
        let places = if words.is_empty() {
            run.places(None)
        } else {
            let step = words.parse().ok().and_then(|number| run.step(number));
            step.ok_or_else(|| no_step(lab, words, language))?.events
        };
        let calls = run.explained[places.clone()].iter().flatten().count();
        if calls == 0 {
            let place = format!("the recorded run of lab {number} in {language}");
            return Err(Error::new(format!("trace {words}"), format!("{place} has no call there")));
        }
        let lines: String = places.map(|place| shown(&run, place)).collect();
        let label = format!("The system calls of lab {number} in {language}");
        let caption = format!("<span class=\"language\">{language}</span>");
        let html = format!(
            "<figure class=\"calls\"><figcaption>{caption}</figcaption>\
             <pre tabindex=\"0\" role=\"group\" aria-label=\"{label}\">{lines}</pre></figure>"
        );
        panels.push((language.to_string(), html));
        counts.push(format!("{calls} in {language}"));
    }
    let step = if words.is_empty() { String::new() } else { format!(" of step {words}") };
    Ok(format!(
        "<details class=\"trace\"><summary>The system calls{step} <span class=\"count\">{}</span></summary>{}</details>",
        counts.join(", "),
        tabs(&format!("trace-{number}-{count}"), panels)
    ))
}

/// What is shown of the event at this place.
fn shown(run: &Run, place: usize) -> String {
    let look = Look { coloured: false, width: run.voices.width };
    match (line(&run.events[place]), &run.explained[place]) {
        (Some(Line::Fact { .. }), _) | (None, None) => String::new(),
        (Some(line @ Line::Step { .. }), _) => {
            format!("<span class=\"title\">{}&#10;</span>", text(render(line, look).trim()))
        }
        (Some(line), _) => format!("<span class=\"said\">{}&#10;</span>", text(render(line, look).trim())),
        (None, Some(explained)) => {
            let lane = run.lanes.all().iter().find(|lane| lane.name == explained.name);
            let class = class_of(lane.map_or(&explained.name, |lane| &lane.voice));
            let (name, rest) = explained.text.split_at(explained.text.find(['(', ' ']).unwrap_or(0));
            let meaning = match explained.meaning.as_str() {
                "" => String::new(),
                meaning => format!("<span class=\"meaning\">{}&#10;</span>", text(meaning)),
            };
            format!(
                "<span class=\"call\"><span class=\"voice {class}\">{}</span> <b>{}</b>{}&#10;</span>{meaning}",
                text(&explained.name),
                text(name),
                text(rest),
            )
        }
    }
}
