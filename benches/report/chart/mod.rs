//! Charts in SVG.
//!
//! All colours are of a middle lightness, so that they can be read on white, on dark and on paper: a picture in a page does not learn whether
//! the page is dark, only whether the system is. Names stand at the lines and bars themselves. The text has the colour `currentColor`, which
//! is such a grey unless the picture is part of a page that says otherwise.

mod bars;
mod lines;
mod style;

use forklore_benches::BenchResult;

use crate::figure::number;
use crate::page::distinct;
use crate::read::Measurements;
use style::{INK, caption};

/// The chart of a group, with its name.
pub(crate) fn chart(results: &Measurements, over: Option<&Measurements>, group: &str) -> BenchResult<(String, String)> {
    let figures: Vec<_> = results.figures.iter().filter(|figure| figure.group == group).collect();
    let parameters = distinct(figures.iter().map(|figure| &*figure.parameter));
    let across = parameters.len() > 1 && parameters.iter().all(|parameter| number(parameter).is_some());
    let svg = if across { lines::draw(&figures, &parameters, over)? } else { bars::draw(&figures, &parameters, over)? };
    let name: String = group.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let name = name.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    let title = format!("<title>{}</title>", caption(group));
    let ink = format!("#{:02X}{:02X}{:02X}", INK.0, INK.1, INK.2);
    let svg = svg.replace(&format!("fill=\"{ink}\""), "fill=\"currentColor\"");
    let svg = svg.replace(&format!("stroke=\"{ink}\""), "stroke=\"currentColor\"");
    // After the opening tag, which is the first.
    let (start, rest) = svg.split_once('>').ok_or("no SVG")?;
    let svg = format!("{start} role=\"img\" color=\"{ink}\">\n{title}{}\n", rest.trim_end());
    Ok((name, svg))
}
