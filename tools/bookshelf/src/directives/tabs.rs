//! The same thing in several languages, as tabs.

/// Panels with their names, which `page.js` makes into tabs. Without it they stand one below the other.
pub(super) fn tabs(id: &str, mut panels: Vec<(String, String)>) -> String {
    if panels.len() == 1 {
        return panels.remove(0).1;
    }
    let panels = panels.iter().zip(1..).map(|((name, html), number)| {
        format!("<div class=\"tab\" id=\"{id}-{number}\" data-tab=\"{name}\">{html}</div>")
    });
    format!("<div class=\"tabs\">{}</div>", panels.collect::<String>())
}
