//! `{{#trace}}` and `{{#trace 2}}`: the recorded system calls, folded.

use recording::{Call, Event, What};
use transcript::Line;

use super::page::Page;
use super::tabs::tabs;
use crate::colours::class_of;
use crate::failure::Error;
use crate::html::text;
use crate::run::Run;

pub(super) fn trace(page: &Page<'_>, words: &str, count: usize) -> Result<String, Error> {
    let number = page.lab()?.number();
    let mut panels = Vec::new();
    let mut counts = Vec::new();
    for (language, run) in page.runs()? {
        let step = words.parse().ok().and_then(|number| run.step(number));
        let places = if words.is_empty() { run.places(None) } else { step.map(|step| step.events).unwrap_or_default() };
        let events = &run.events[places];
        let calls = events.iter().filter(|event| matches!(event.what, What::Call(_))).count();
        if calls == 0 {
            return Err(Error::new(
                format!("trace {words}"),
                format!("the recorded run of lab {number} in {language} has no call there"),
            ));
        }
        let lines: String = events.iter().map(|event| line(&run, event)).collect();
        let label = format!("cargo lab {number} --trace");
        let html = format!(
            "<pre class=\"calls\" tabindex=\"0\" role=\"group\" aria-label=\"{label}, in {language}\">{lines}</pre>"
        );
        panels.push((language.to_string(), html));
        counts.push(format!("{calls} in {language}"));
    }
    let title =
        if words.is_empty() { "The system calls".to_owned() } else { format!("The system calls of step {words}") };
    Ok(format!(
        "<details class=\"trace\"><summary>{title} <span class=\"count\">{}</span></summary>{}</details>",
        counts.join(", "),
        tabs(&format!("trace-{number}-{count}"), panels)
    ))
}

fn line(run: &Run, event: &Event) -> String {
    let name = |pid| run.lanes.process(pid).map(|lane| &run.lanes.all()[lane]);
    let html = match &event.what {
        What::Line { line: Line::Step { step, title }, .. } => {
            format!("<span class=\"title\">{step}. {}</span>", text(title))
        }
        What::Line { line: Line::Fact { fact, value }, .. } => {
            format!("   <span class=\"said\">{}: {}</span>", text(fact), text(value))
        }
        What::Line { line: Line::Say { voice, text: said }, .. } => {
            format!("   <span class=\"said\">{} {}</span>", text(voice), text(said))
        }
        What::Call(Call { call, arguments, result, .. }) => {
            let (voice, name) = name(event.pid).map(|lane| (lane.voice.clone(), lane.name.clone())).unwrap_or_default();
            let arguments: Vec<&str> = arguments.iter().map(|argument| argument.text.as_str()).collect();
            format!(
                "     <span class=\"voice {}\">[{}]</span> <b>{}</b>({}) = {}",
                class_of(&voice),
                text(&name),
                text(call),
                text(&arguments.join(", ")),
                text(result)
            )
        }
        _ => return String::new(),
    };
    html + "&#10;"
}
