//! The charts of the benchmark report, put into the page itself: they then have its colours, light and dark.

use std::path::Path;

use crate::html::text;

/// Where they are, from the book's folder of sources; and the page that includes the report.
const FOLDER: &str = "benchmarks";
const PAGE: &str = "benchmarks.md";

/// `content` with the pictures that stand in lines of their own, `![words](chart.svg)`, as parts of the page. `source` is the book's
/// folder of sources.
pub(super) fn with_charts(path: &Path, source: &Path, content: &str) -> String {
    if path != Path::new(PAGE) {
        return content.to_owned();
    }
    let lines = content.lines().map(|line| {
        let chart = picture(line).and_then(|(words, file)| {
            let drawing = std::fs::read_to_string(source.join(FOLDER).join(file)).ok()?;
            Some(figure(words, &drawing))
        });
        chart.unwrap_or_else(|| line.to_owned()) + "\n"
    });
    lines.collect()
}

/// The words and the file of a picture that is a whole line.
fn picture(line: &str) -> Option<(&str, &str)> {
    let (words, file) = line.strip_prefix("![")?.strip_suffix(".svg)")?.split_once("](")?;
    let file = &line[line.len() - file.len() - ".svg)".len()..line.len() - 1];
    (!file.contains('/')).then_some((words, file))
}

fn figure(words: &str, drawing: &str) -> String {
    // What stands before the drawing, such as a declaration of XML, has no place in a page.
    let drawing = drawing.find("<svg").map_or(drawing, |at| &drawing[at..]);
    let drawing: Vec<&str> = drawing.lines().map(str::trim).collect();
    let words = text(words);
    format!(
        "<figure class=\"chart\" tabindex=\"0\" role=\"group\" aria-label=\"{words}\">{}</figure>",
        drawing.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_in_a_line_of_its_own_becomes_part_of_the_page() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(FOLDER)).expect("a folder");
        std::fs::write(folder.path().join(FOLDER).join("a.svg"), "<?xml?>\n<svg>\n\n<g/>\n</svg>\n").expect("a file");
        let content = "![what it costs](a.svg)\n![b](b.svg)\n![c](x/a.svg) d\n";
        let charts = with_charts(Path::new(PAGE), folder.path(), content);
        let figure = "<figure class=\"chart\" tabindex=\"0\" role=\"group\" aria-label=\"what it costs\"><svg>  <g/> </svg></figure>";
        assert_eq!(charts, format!("{figure}\n![b](b.svg)\n![c](x/a.svg) d\n"));
        assert_eq!(with_charts(Path::new("other.md"), folder.path(), content), content);
    }
}
