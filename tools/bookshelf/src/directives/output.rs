//! `{{#output}}` and `{{#step 3}}`: what a lab prints, as a transcript with a lane for each process.
//!
//! A transcript is `figure.transcript > pre.lines`. In it are one `span.lane.voice-COLOUR` for each process, its place as `--lane`; then the
//! lines, each a `span.line`. One that a process says has a `span.dot`, an arrow also a `span.shaft`, with `--lane` and `--to`; then
//! `span.voice` and `span.text`. What runs in the page makes the same.

use crate::catalogue::Lab;
use crate::colours::class_of;
use crate::expected::{Fact, Spoken, Step};
use crate::failure::Error;
use crate::html::{anchor, text};

/// Where each line of a step stands, in the whole transcript.
pub(super) fn line_anchor(step: u32, index: usize) -> String {
    format!("line-{step}-{}", index + 1)
}

/// Where a fact stands.
pub(super) fn fact_anchor(fact: &str) -> String {
    format!("fact-{}", anchor(fact))
}

pub(super) fn all(lab: &Lab) -> Result<String, Error> {
    let steps: Vec<String> = lab.expected.steps.iter().map(|step| step_lines(lab, step, true)).collect();
    let facts: String = lab.expected.facts.iter().map(fact_line).collect();
    let lines = format!("{}&#10;<span class=\"line title facts\">Facts</span>&#10;{facts}", steps.join("&#10;"));
    let caption = format!("<code>cargo lab {}</code>", lab.number());
    Ok(figure(lab, &format!("What lab {} prints", lab.number()), &caption, &lines, " id=\"transcript\""))
}

pub(super) fn step(lab: &Lab, words: &str) -> Result<String, Error> {
    let step = words.parse().ok().and_then(|number| lab.expected.step(number));
    let step = step.ok_or_else(|| Error::new(format!("step {words:?}"), format!("lab {} has none", lab.number())))?;
    let lines = step_lines(lab, step, false);
    let caption = format!("<a href=\"#step-{0}\">Lab {1}, step {0}</a>", step.number, lab.number());
    Ok(figure(lab, &format!("Lab {}, step {}", lab.number(), step.number), &caption, &lines, ""))
}

/// A transcript: a figure with a lane for each process, and these lines in it.
pub(crate) fn figure(lab: &Lab, label: &str, caption: &str, lines: &str, attributes: &str) -> String {
    let voices = lab.expected.voices();
    let lane =
        |(at, voice): (usize, &&str)| format!("<span class=\"lane {}\" style=\"--lane:{at}\"></span>", class_of(voice));
    let lanes: String = voices.iter().enumerate().map(lane).collect();
    format!(
        "<figure class=\"transcript\"{attributes}><figcaption>{caption}</figcaption>\
         <pre class=\"lines\" tabindex=\"0\" role=\"group\" aria-label=\"{label}\" style=\"--lanes:{}\">{lanes}{lines}</pre></figure>",
        voices.len(),
    )
}

fn step_lines(lab: &Lab, step: &Step, anchored: bool) -> String {
    let number = step.number;
    let id = if anchored { format!(" id=\"step-{number}\"") } else { String::new() };
    let title = format!("<span class=\"line title\"{id}>{number}. {}</span>&#10;", text(&step.title));
    let lines = step.lines.iter().enumerate().map(|(index, line)| {
        let id = if anchored { format!(" id=\"{}\"", line_anchor(number, index)) } else { String::new() };
        spoken(lab, line, &id)
    });
    title + &lines.collect::<String>()
}

/// A line that a process says.
pub(crate) fn spoken(lab: &Lab, line: &Spoken, id: &str) -> String {
    let voices = lab.expected.voices();
    let lane_of = |voice: &str| voices.iter().position(|found| *found == voice).unwrap_or(0);
    let (class, lane) = (class_of(&line.voice), lane_of(&line.voice));
    let padding = " ".repeat(lab.expected.width.saturating_sub(line.voice.chars().count()) + 2);
    let (dot, words) = match &line.arrow {
        None => (format!("<span class=\"dot {class}\" style=\"--lane:{lane}\"></span>"), redacted(&line.text)),
        Some((kind, to)) => {
            let target = lane_of(to);
            let (left, right) = (lane.min(target), lane.max(target));
            let way = if target < lane { "leftward" } else { "rightward" };
            let shaft = format!(
                "<span class=\"dot {class}\" style=\"--lane:{lane}\"></span>\
                 <span class=\"shaft {class} {way}\" style=\"--lane:{left};--to:{right}\"></span>"
            );
            let words = format!(
                "<span class=\"arrow\">──{}──▶</span> <span class=\"voice {}\">{}</span>  {}",
                text(kind),
                class_of(to),
                text(to),
                redacted(&line.text)
            );
            (shaft, words)
        }
    };
    format!(
        "<span class=\"line\"{id}>{dot}<span class=\"voice {class}\">{}</span>{padding}<span class=\"text\">{words}</span></span>&#10;",
        text(&line.voice)
    )
}

fn fact_line(fact: &Fact) -> String {
    format!(
        "<span class=\"line fact\" id=\"{}\">{}: <b>{}</b></span>&#10;",
        fact_anchor(&fact.name),
        text(&fact.name),
        redacted(&fact.value)
    )
}

/// Text in which what differs from run to run, `[PORT]`, is set apart. A bar at its end has the colour of the process that it is about.
fn redacted(words: &str) -> String {
    let bar = words.find('█').map(|at| words.split_at(at));
    if let Some((before, bar)) = bar.filter(|(_, bar)| bar.chars().all(|c| c == '█')) {
        let mut names = before.split_whitespace();
        let about = format!("{} {}", names.next().unwrap_or_default(), names.next().unwrap_or_default());
        return format!("{}<span class=\"bar {}\">{bar}</span>", redacted(before), class_of(&about));
    }
    let mut html = String::new();
    let mut rest = words;
    while let Some((before, name, after)) = next_redaction(rest) {
        html += &format!("{}<span class=\"varies\" title=\"differs from run to run\">[{name}]</span>", text(before));
        rest = after;
    }
    html + &text(rest)
}

fn next_redaction(words: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(start) = words[from..].find('[').map(|at| from + at) {
        let (name, after) = words[start + 1..].split_once(']')?;
        if name.len() > 1 && name.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Some((&words[..start], name, after));
        }
        from = start + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_is_set_apart() {
        let varies = |name: &str| format!("<span class=\"varies\" title=\"differs from run to run\">[{name}]</span>");
        assert_eq!(
            redacted("port [PORT], [1] <b> [PID]."),
            format!("port {}, [1] &lt;b&gt; {}.", varies("PORT"), varies("PID"))
        );
        assert_eq!(redacted("no ] one ["), "no ] one [");
        assert_eq!(redacted("worker 2 gets 5 ██"), "worker 2 gets 5 <span class=\"bar voice-magenta\">██</span>");
    }
}
