//! `{{#cost ID}}`: rows of the benchmark report.

use std::fmt::Write;

use serde::Deserialize;

use super::Page;
use crate::catalogue::read_text;
use crate::failure::Error;
use crate::html::{anchor, text};

/// Where the report is, from the root of the repository; and the page that includes it.
const FOLDER: &str = "book/src/benchmarks";
const PAGE: &str = "benchmarks.md";

/// What stands where figures would be, if there are none.
pub(super) const UNMEASURED: &str =
    "<p class=\"cost unmeasured\">Not measured yet: <code>just bench</code> takes the figures.</p>";

/// A row of `rows.json`: a ratio that was wanted, and what was found.
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
const WANTED: &str = "## Wanted and found";

/// A column of the table of a group: what it is called in the chapters, and in the report.
const COLUMNS: [(&str, &str); 2] = [("exec-shell", "exec"), ("exec-file", "exec_file")];

/// The table that has these columns.
const EXEC: &str = "## Exec cost";

/// Neighbours are one directive: their rows make one table.
pub(super) fn cost(page: &Page<'_>, words: &str) -> Result<String, Error> {
    let folder = page.catalogue.root.join(FOLDER);
    let ids: Vec<&str> = words.split_whitespace().collect();
    if ids.is_empty() {
        return Err(Error::new("{{#cost}}", "it names no row of the report"));
    }
    let (Ok(report), Ok(rows)) = (read_text(&folder.join("report.md")), read_text(&folder.join("rows.json"))) else {
        return Ok(UNMEASURED.to_owned());
    };
    let found: Vec<Row> = serde_json::from_str(&rows).map_err(|error| Error::file(&folder.join("rows.json"), error))?;
    let link = |section: &str| format!("{}{PAGE}#{}", page.to_root(), anchor(section.trim_start_matches(['#', ' '])));
    let of_columns = |id: &&str| COLUMNS.iter().any(|column| column.0 == *id);
    let (of_columns, of_rows): (Vec<&str>, Vec<&str>) = ids.into_iter().partition(of_columns);
    let mut tables = String::new();
    if !of_rows.is_empty() {
        tables += &html(&rows_called(&found, &of_rows)?, &link(WANTED));
    }
    if !of_columns.is_empty() {
        tables += &html(&columns_called(&report, &of_columns)?, &link(EXEC));
    }
    Ok(tables)
}

/// A table: its heads and its rows.
#[derive(Debug, PartialEq, Eq)]
struct Table {
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// The rows of the report that are called so.
fn rows_called(found: &[Row], ids: &[&str]) -> Result<Table, Error> {
    let heads = ["what", "limit", "ours", "compared with", "ratio"];
    let row = |id: &&str| {
        let Some(row) = found.iter().find(|row| row.id == **id) else {
            let known: Vec<&str> = found.iter().map(|row| &*row.id).chain(COLUMNS.map(|column| column.0)).collect();
            return Err(Error::new(format!("cost {id:?}"), format!("the report has {}", known.join(", "))));
        };
        let cells = [&*row.what, &row.limit, &row.ours, &row.peer, &row.ratio];
        Ok(cells.map(str::to_owned).to_vec())
    };
    let rows = ids.iter().map(row).collect::<Result<_, _>>()?;
    Ok(Table { heads: heads.map(str::to_owned).to_vec(), rows })
}

/// The columns of what it costs to run a program that are called so.
fn columns_called(report: &str, ids: &[&str]) -> Result<Table, Error> {
    let wanted: Vec<&str> = COLUMNS.iter().filter(|column| ids.contains(&column.0)).map(|column| column.1).collect();
    let table = table(report, EXEC);
    let heads = table.heads.iter().enumerate();
    let places: Vec<usize> =
        heads.filter(|(at, head)| *at == 0 || wanted.contains(&head.as_str())).map(|(at, _)| at).collect();
    if places.len() != wanted.len() + 1 {
        return Err(Error::new(
            format!("cost {}", ids.join(" ")),
            format!("the report has no such columns under {EXEC:?}"),
        ));
    }
    let pick = |row: &Vec<String>| places.iter().filter_map(|at| row.get(*at).cloned()).collect();
    Ok(Table { heads: pick(&table.heads), rows: table.rows.iter().map(pick).collect() })
}

/// The first table below a heading.
fn table(report: &str, heading: &str) -> Table {
    let below = report.lines().skip_while(|line| *line != heading).skip(1);
    let mut lines = below.skip_while(|line| !line.starts_with('|'));
    let cells = |line: &str| {
        let line = line.strip_prefix('|').unwrap_or(line);
        line.strip_suffix('|').unwrap_or(line).split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    let heads = lines.next().map(cells).unwrap_or_default();
    Table { heads, rows: lines.skip(1).take_while(|line| line.starts_with('|')).map(cells).collect() }
}

fn html(table: &Table, link: &str) -> String {
    let mut html = String::from("<figure class=\"cost\"><div class=\"table-wrapper\"><table><thead><tr>");
    for head in &table.heads {
        let _ = write!(html, "<th scope=\"col\">{}</th>", if head.is_empty() { "what".into() } else { text(head) });
    }
    html += "</tr></thead><tbody>";
    for row in &table.rows {
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

    const REPORT: &str = "# Benchmarks\n\n## Exec cost\n\n| | exec | exec_file |\n|---|---|---|\n| ours | 3 | 4 |\n";

    #[test]
    fn columns_are_found_by_their_names() {
        let table = columns_called(REPORT, &["exec-file"]).expect("it is there");
        assert_eq!(
            table,
            Table { heads: vec!["".into(), "exec_file".into()], rows: vec![vec!["ours".into(), "4".into()]] }
        );
        assert!(columns_called("", &["exec-file"]).is_err());
    }

    #[test]
    fn rows_are_found_by_their_names() {
        let rows = r#"[{"id":"handles","what":"handles","limit":"–","ours":"1","peer":"2","ratio":"3","wanted":"4","reached":false}]"#;
        let rows: Vec<Row> = serde_json::from_str(rows).expect("a row");
        let table = rows_called(&rows, &["handles"]).expect("it is there");
        assert_eq!(table.rows, [["handles", "–", "1", "2", "3"].map(str::to_owned)]);
        let told = rows_called(&rows, &["nothing"]).expect_err("no such row").to_string();
        assert_eq!(told, "cost \"nothing\": the report has handles, exec-shell, exec-file");
    }
}
