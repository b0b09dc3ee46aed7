//! `{{#trace}}` and `{{#trace 2}}`: the recorded system calls, folded.

use super::page::Page;
use crate::colours::class_of;
use crate::failure::Error;
use crate::html::text;
use crate::traced::{self, Traced};

pub(super) fn trace(page: &Page<'_>, words: &str) -> Result<String, Error> {
    let lab = page.lab()?;
    let trace = page.catalogue.recorded_trace(lab)?;
    let all = traced::lines(&trace);
    let number = lab.number();
    let (lines, title, command) = if words.is_empty() {
        (&all[..], "The system calls".to_owned(), format!("cargo lab {number} --trace"))
    } else {
        let step = words.parse().map_or(&[][..], |step| traced::step(&all, step));
        (step, format!("The system calls of step {words}"), format!("cargo lab {number} --trace, step {words}"))
    };
    let calls = lines.iter().filter(|line| matches!(line, Traced::Call { .. })).count();
    if calls == 0 {
        return Err(Error::new(
            format!("trace {words}"),
            format!("the recorded trace of lab {number} has no call there"),
        ));
    }
    let html: String = lines.iter().map(line).collect();
    Ok(format!(
        "<details class=\"trace\"><summary>{title} <span class=\"count\">{calls} calls of <code>--trace</code></span></summary>\
         <pre class=\"calls\" tabindex=\"0\" role=\"group\" aria-label=\"{command}\">{html}</pre></details>",
    ))
}

fn line(line: &Traced<'_>) -> String {
    let html = match line {
        Traced::Empty => String::new(),
        Traced::Step { line, .. } => format!("<span class=\"title\">{}</span>", text(line)),
        Traced::Fact(line) => format!("<span class=\"said\">{}</span>", text(line)),
        Traced::Said(line) => format!("   <span class=\"said\">{}</span>", text(line)),
        Traced::Meaning(meaning) => format!("         <span class=\"meaning\">{}</span>", text(meaning)),
        Traced::Call { voice, call } => {
            let (name, rest) = call.split_at(call.find('(').unwrap_or(0));
            format!(
                "     <span class=\"voice {}\">[{}]</span> <b>{}</b>{}",
                class_of(voice),
                text(voice),
                text(name),
                text(rest)
            )
        }
    };
    html + "&#10;"
}
