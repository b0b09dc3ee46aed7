//! `{{#cost ID}}`: rows of the benchmark report.

use std::fmt::Write;

use serde::Deserialize;

use super::page::Page;
use crate::catalogue::read_text;
use crate::failure::Error;
use crate::html::{anchor, text};

/// Where the report is, from the root of the repository; and the page that includes it.
const FOLDER: &str = "book/src/benchmarks";
const PAGE: &str = "benchmarks.md";

/// What stands where figures would be, if there are none.
pub(super) const UNMEASURED: &str =
    "<p class=\"cost unmeasured\">Not measured yet: <code>just bench</code> takes the figures.</p>";

/// A row of `rows.json`: a target, and what was measured.
#[derive(Debug, Deserialize)]
struct Row {
    id: String,
    what: String,
    limit: String,
    ours: String,
    peer: String,
    ratio: String,
}

/// Where the report has these rows in a table.
const TARGETS: &str = "Targets";

/// Neighbours are one directive: their rows make one table.
pub(super) fn cost(page: &Page<'_>, words: &str) -> Result<String, Error> {
    let folder = page.catalogue.root.join(FOLDER);
    let ids: Vec<&str> = words.split_whitespace().collect();
    if ids.is_empty() {
        return Err(Error::new("{{#cost}}", "it names no row of the report"));
    }
    let Ok(rows) = read_text(&folder.join("rows.json")) else { return Ok(UNMEASURED.to_owned()) };
    let found: Vec<Row> = serde_json::from_str(&rows).map_err(|error| Error::file(&folder.join("rows.json"), error))?;
    let link = format!("{}{PAGE}#{}", page.to_root(), anchor(TARGETS));
    Ok(html(&rows_called(&found, &ids)?, &link))
}

/// What is shown of a row.
const HEADS: [&str; 5] = ["what", "limit", "ours", "compared with", "ratio"];

/// The rows of the report that are called so, as `HEADS` says.
fn rows_called<'a>(found: &'a [Row], ids: &[&str]) -> Result<Vec<[&'a str; HEADS.len()]>, Error> {
    let row = |id: &&str| {
        let Some(row) = found.iter().find(|row| row.id == **id) else {
            let known: Vec<&str> = found.iter().map(|row| &*row.id).collect();
            return Err(Error::new(format!("cost {id:?}"), format!("the report has {}", known.join(", "))));
        };
        Ok([&*row.what, &row.limit, &row.ours, &row.peer, &row.ratio])
    };
    ids.iter().map(row).collect()
}

fn html(rows: &[[&str; HEADS.len()]], link: &str) -> String {
    let mut html = String::from("<figure class=\"cost\"><div class=\"table-wrapper\"><table><thead><tr>");
    for head in HEADS {
        let _ = write!(html, "<th scope=\"col\">{head}</th>");
    }
    html += "</tr></thead><tbody>";
    for row in rows {
        html += "<tr>";
        for cell in row {
            let _ = write!(html, "<td>{}</td>", text(&unbroken(cell)));
        }
        html += "</tr>";
    }
    let _ = write!(
        html,
        "</tbody></table></div><figcaption>From <a href=\"{link}\">the benchmarks</a>.</figcaption></figure>"
    );
    html
}

/// A number and what is counted stay in one line.
fn unbroken(cell: &str) -> String {
    let mut after_digit = false;
    let keep = |c: char| {
        let shown = if c == ' ' && after_digit { '\u{a0}' } else { c };
        after_digit = c.is_ascii_digit();
        shown
    };
    cell.chars().map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_names() {
        let rows = r#"[{"id":"handles","what":"handles","limit":"–","ours":"1","peer":"2","ratio":"3","target":"4","reached":false}]"#;
        let rows: Vec<Row> = serde_json::from_str(rows).expect("a row");
        let table = rows_called(&rows, &["handles"]).expect("it is there");
        assert_eq!(table, [["handles", "–", "1", "2", "3"]]);
        let told = rows_called(&rows, &["nothing"]).expect_err("no such row").to_string();
        assert_eq!(told, "cost \"nothing\": the report has handles");
    }
}
