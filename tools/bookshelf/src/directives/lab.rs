//! `{{#lab}}`: the card at the top of a lab's chapter. `{{#prediction}}`: its question.

use manifest::{Answer, Lab};

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

pub(super) fn prediction(lab: &Lab) -> String {
    let prediction = &lab.prediction;
    let choices = prediction.choices.iter().zip(1..).map(|(choice, number)| {
        format!(
            "<li><label><input type=\"radio\" name=\"prediction-{}\" value=\"{number}\"> <span>{}</span></label></li>",
            lab.number(),
            with_code(choice)
        )
    });
    let told = |lead: &str, answer: &Answer| {
        let words = capital(&(lead.to_owned() + prediction.chosen(answer)));
        format!("<p><strong>{}.</strong> {}</p>", with_code(&words), with_code(&answer.because))
    };
    let answers = match prediction.rust == prediction.node {
        true => told("", &prediction.rust),
        false => told("in Rust: ", &prediction.rust) + &told("in Node: ", &prediction.node),
    };
    format!(
        "<section class=\"prediction\" id=\"prediction\" data-lab=\"{}\" data-answer=\"{}\" aria-label=\"Prediction of lab {0}\">\
         <fieldset><legend><span class=\"tag\">Predict</span> {}</legend><ol class=\"choices\">{}</ol></fieldset>\
         <details class=\"answer\"><summary>The answer</summary>{answers}</details></section>",
        lab.number(),
        prediction.rust.choice,
        with_code(&prediction.question),
        choices.collect::<String>(),
    )
}

fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
