//! `{{#output}}` and `{{#step 3}}`: what a lab prints, as a transcript with a lane for each voice.
//!
//! A transcript is `figure.transcript > pre.lines`. In it are one `span.lane.voice-COLOUR` for each voice, its place as `--lane`; then the
//! lines, each a `span.line`. One that a process says has a `span.dot`, an arrow also a `span.shaft`, with `--lane` and `--to`; then
//! `span.voice` and `span.text`. What runs in the page makes the same.

use std::fmt::Write;

use manifest::Lab;
use recording::Language;
use recording::marks::marks;
use transcript::Line;

use super::page::Page;
use super::tabs::tabs;
use crate::colours::class_of;
use crate::failure::Error;
use crate::html::{anchor, text};
use crate::run::{Run, Step, Voices};

/// What says that the values with this look vary.
pub(crate) const LEGEND: &str =
    "<span class=\"legend\"><span class=\"varies\">underlined</span>: varies between runs</span>";

/// What stands above the facts.
pub(crate) const FACTS: &str = "&#10;<span class=\"line title facts\">Facts</span>&#10;";

/// Where the title of a step stands, in the whole transcript.
fn step_anchor(language: Language, step: u32) -> String {
    prefix(language) + &format!("step-{step}")
}

/// Where each line of a step stands.
pub(super) fn line_anchor(language: Language, step: u32, index: usize) -> String {
    prefix(language) + &format!("line-{step}-{}", index + 1)
}

/// Where a fact stands.
pub(super) fn fact_anchor(language: Language, fact: &str) -> String {
    prefix(language) + &format!("fact-{}", anchor(fact))
}

/// The anchors of the transcript that stands first have no prefix.
fn prefix(language: Language) -> String {
    if language == Language::Rust { String::new() } else { format!("{}-", language.name()) }
}

pub(super) fn all(page: &Page<'_>, count: usize) -> Result<String, Error> {
    let lab = page.lab()?;
    let panels = page.runs()?.into_iter().map(|(language, run)| {
        let steps: Vec<String> = run.steps().iter().map(|step| step_lines(&run, step, Some(language))).collect();
        let facts = run.facts().map(|(fact, value)| fact_line(fact, value, &fact_anchor(language, fact)));
        let lines = steps.join("&#10;") + FACTS + &facts.collect::<String>();
        let option = if language == Language::Node { " --node" } else { "" };
        let caption = format!(
            "<span class=\"language\">{language}</span> <code>cargo lab {}{option}</code> <span class=\"made\">{}</span>",
            lab.number(),
            text(&versions(&run))
        );
        let label = format!("What lab {} prints in {language}", lab.number());
        let id = format!(" id=\"{}transcript\"", prefix(language));
        (language.to_string(), figure(&run.voices, &label, &caption, &lines, &id))
    });
    Ok(tabs(&format!("output-{}-{count}", lab.number()), panels.collect()))
}

pub(super) fn step(page: &Page<'_>, words: &str, count: usize) -> Result<String, Error> {
    let lab = page.lab()?;
    let mut panels = Vec::new();
    for (language, run) in page.runs()? {
        let step = words.parse().ok().and_then(|number| run.step(number));
        let step = step.ok_or_else(|| no_step(lab, words, language))?;
        let lines = step_lines(&run, &step, None);
        let title = format!("Lab {}, step {}", lab.number(), step.number);
        let caption = format!(
            "<span class=\"language\">{language}</span> <a href=\"#{}\">{title}</a>",
            step_anchor(language, step.number)
        );
        panels.push((
            language.to_string(),
            figure(&run.voices, &format!("{title}, in {language}"), &caption, &lines, ""),
        ));
    }
    Ok(tabs(&format!("step-{}-{count}", lab.number()), panels))
}

pub(super) fn no_step(lab: &Lab, step: &str, language: Language) -> Error {
    Error::new(format!("step {step:?}"), format!("lab {} has none in {language}", lab.number()))
}

/// With which versions a run was made: `Node 20.20.2, Linux 6.18`.
fn versions(run: &Run) -> String {
    let versions = run.versions.iter().map(|(program, version)| {
        let mut letters = program.chars();
        let capital: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        format!("{capital} {version}")
    });
    versions.collect::<Vec<_>>().join(", ")
}

/// A transcript: a figure with a lane for each voice, and these lines in it.
pub(crate) fn figure(voices: &Voices, label: &str, caption: &str, lines: &str, attributes: &str) -> String {
    let lane = |(at, voice): (usize, &String)| {
        format!("<span class=\"lane {}\" style=\"--lane:{at}\"></span>", class_of(voice))
    };
    let lanes: String = voices.names.iter().enumerate().map(lane).collect();
    let legend = if lines.contains("class=\"varies\"") { LEGEND } else { "" };
    format!(
        "<figure class=\"transcript\"{attributes}><figcaption>{caption}{legend}</figcaption>\
         <pre class=\"lines\" tabindex=\"0\" role=\"group\" aria-label=\"{label}\" style=\"--lanes:{}\">{lanes}{lines}</pre></figure>",
        voices.names.len(),
    )
}

/// The lines of a step; with anchors in the whole transcript of a language.
fn step_lines(run: &Run, step: &Step<'_>, anchored: Option<Language>) -> String {
    let id = |anchor: String| format!(" id=\"{anchor}\"");
    let title_id = anchored.map(|language| id(step_anchor(language, step.number))).unwrap_or_default();
    let title = title(step.number, step.title, &title_id);
    let lines = run.said(step).enumerate().map(|(index, line)| {
        let id = anchored.map(|language| id(line_anchor(language, step.number, index))).unwrap_or_default();
        spoken(&run.voices, line, &id)
    });
    title + &lines.collect::<String>()
}

pub(crate) fn title(number: u32, title: &str, id: &str) -> String {
    format!("<span class=\"line title\"{id}>{number}. {}</span>&#10;", text(title))
}

pub(crate) fn fact_line(fact: &str, value: &str, id: &str) -> String {
    let id = if id.is_empty() { String::new() } else { format!(" id=\"{id}\"") };
    format!("<span class=\"line fact\"{id}>{}: <b>{}</b></span>&#10;", text(fact), text(value))
}

/// A line that a process says; nothing for a line of another kind.
pub(crate) fn spoken(voices: &Voices, line: &Line, id: &str) -> String {
    let (voice, arrow, said) = match line {
        Line::Say { voice, text } => (voice, None, text),
        Line::Arrow { arrow, from, to, text } => (from, Some((arrow, to)), text),
        Line::Step { .. } | Line::Fact { .. } => return String::new(),
    };
    let (class, lane) = (class_of(voice), voices.lane(voice));
    let padding = " ".repeat(voices.width.saturating_sub(voice.chars().count()) + 2);
    let mut dot = format!("<span class=\"dot {class}\" style=\"--lane:{lane}\"></span>");
    let mut words = String::new();
    if let Some((kind, to)) = arrow {
        let target = voices.lane(to);
        let (left, right) = (lane.min(target), lane.max(target));
        let way = if target < lane { "leftward" } else { "rightward" };
        let _ = write!(dot, "<span class=\"shaft {class} {way}\" style=\"--lane:{left};--to:{right}\"></span>");
        words = format!(
            "<span class=\"arrow\">──{}──▶</span> <span class=\"voice {}\">{}</span>  ",
            kind.name(),
            class_of(to),
            text(to),
        );
    }
    format!(
        "<span class=\"line\"{id}>{dot}<span class=\"voice {class}\">{}</span>{padding}<span class=\"text\">{words}{}</span></span>&#10;",
        text(voice),
        marked(said)
    )
}

/// Text in which the values that vary between runs are marked. A bar at its end has the colour of the process that it is about.
pub(crate) fn marked(words: &str) -> String {
    let bar = words.find('█').map(|at| words.split_at(at));
    if let Some((before, bar)) = bar.filter(|(_, bar)| bar.chars().all(|c| c == '█')) {
        let mut names = before.split_whitespace();
        let about = format!("{} {}", names.next().unwrap_or_default(), names.next().unwrap_or_default());
        return format!("{}<span class=\"bar {}\">{bar}</span>", marked(before), class_of(&about));
    }
    let (mut html, mut done) = (String::new(), 0);
    for mark in marks(words) {
        // A count is padded to its column.
        let value = words[mark.range.clone()].trim_start();
        let start = mark.range.end - value.len();
        let _ = write!(
            html,
            "{}<span class=\"varies\" title=\"{}: varies between runs\">{}</span>",
            text(&words[done..start]),
            mark.kind.meaning,
            text(value)
        );
        done = mark.range.end;
    }
    html + &text(&words[done..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_is_marked_as_it_was() {
        let varies = |what: &str, value: &str| {
            format!("<span class=\"varies\" title=\"{what}: varies between runs\">{value}</span>")
        };
        assert_eq!(
            marked("port 80, <b> pid 7."),
            format!(
                "port {}, &lt;b&gt; pid {}.",
                varies("a port that the kernel chose", "80"),
                varies("a process's number", "7")
            )
        );
        assert_eq!(marked("no value"), "no value");
        assert_eq!(marked("worker 2 gets  5 ██"), "worker 2 gets  5 <span class=\"bar voice-magenta\">██</span>");
        let took = format!("worker 2 took  {} <span class=\"bar voice-magenta\">██</span>", varies("a count", "5"));
        assert_eq!(marked("worker 2 took  5 ██"), took);
    }
}
