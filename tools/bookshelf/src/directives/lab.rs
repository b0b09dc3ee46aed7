//! `{{#lab}}`: the card at the top of a lab's chapter. `{{#prediction}}`: its question.

use crate::catalogue::Lab;
use crate::failure::Error;
use crate::html::{text, with_code};

/// The commands that run a lab, and what each is for.
const WAYS: [(&str, &str); 4] = [
    ("", "run it"),
    (" --node", "the same in Node"),
    (" --compare", "both, and their facts side by side"),
    (" --trace", "with its system calls"),
];

pub(super) fn card(lab: &Lab) -> Result<String, Error> {
    let number = lab.number();
    let needs: Vec<String> = lab.needs.iter().map(|tool| format!("<code>{}</code>", text(tool))).collect();
    let needs = match needs.split_last() {
        None => String::from("nothing but Rust"),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    };
    let ways =
        WAYS.map(|(option, what)| format!("<tr><td><code>cargo lab {number}{option}</code></td><td>{what}</td></tr>"));
    Ok(format!(
        "<section class=\"lab-card\" id=\"lab\" data-lab=\"{number}\" aria-label=\"About lab {number}\">\
         <p class=\"summary\">{}.</p>\
         <dl class=\"terms\"><div><dt>Time</dt><dd>{} minutes</dd></div><div><dt>Needs</dt><dd>{needs}</dd></div></dl>\
         <table class=\"ways\"><caption class=\"unseen\">Ways to run it</caption><tbody>{}</tbody></table>\
         <div class=\"run-here\" hidden></div></section>",
        with_code(&lab.summary),
        lab.minutes,
        ways.concat(),
    ))
}

pub(super) fn prediction(lab: &Lab) -> Result<String, Error> {
    let question = &lab.prediction;
    let answer = question.choices.get(question.answer.wrapping_sub(1));
    let answer = answer.ok_or_else(|| Error::new(&lab.name, "its prediction has no such answer"))?;
    let choices = question.choices.iter().zip(1..).map(|(choice, number)| {
        format!(
            "<li><label><input type=\"radio\" name=\"prediction-{}\" value=\"{number}\"> <span>{}</span></label></li>",
            lab.number(),
            with_code(choice)
        )
    });
    Ok(format!(
        "<section class=\"prediction\" id=\"prediction\" data-lab=\"{}\" data-answer=\"{}\" aria-label=\"Prediction of lab {0}\">\
         <fieldset><legend><span class=\"tag\">Predict</span> {}</legend><ol class=\"choices\">{}</ol></fieldset>\
         <details class=\"answer\"><summary>The answer</summary><p><strong>{}.</strong> {}</p></details></section>",
        lab.number(),
        question.answer,
        with_code(&question.question),
        choices.collect::<String>(),
        with_code(&capital(answer)),
        with_code(&question.because),
    ))
}

fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
