//! Parts of source files, by anchors in their comments: `// ANCHOR: name` … `// ANCHOR_END: name`, as mdBook has them.

use crate::failure::Error;

/// What is between the anchors called `name`, or everything; without any anchor line, and moved to the left as far as it goes.
///
/// # Errors
///
/// When there is no such anchor, it does not end, or nothing is in it.
pub(crate) fn excerpt(source: &str, name: Option<&str>) -> Result<String, Error> {
    let mut inside = name.is_none();
    let (mut begun, mut ended) = (inside, inside);
    let mut lines: Vec<&str> = Vec::new();
    for line in source.lines() {
        match marker(line) {
            Some((true, found)) if Some(found) == name => (inside, begun) = (true, true),
            Some((false, found)) if Some(found) == name => (inside, ended) = (false, true),
            Some(_) => {}
            None if inside => lines.push(line),
            None => {}
        }
    }
    let name = name.unwrap_or("(the whole file)");
    let trouble = match (begun, ended) {
        (false, _) => "there is no such anchor",
        (true, false) => "the anchor has no ANCHOR_END",
        _ if lines.iter().all(|line| line.trim().is_empty()) => "nothing is in it",
        _ => return Ok(dedented(&lines)),
    };
    Err(Error::new(name, trouble))
}

/// Whether a line begins an anchor (or ends one), and its name.
fn marker(line: &str) -> Option<(bool, &str)> {
    let (begins, name) = match line.split_once("ANCHOR: ") {
        Some((_, name)) => (true, name),
        None => (false, line.split_once("ANCHOR_END: ")?.1),
    };
    Some((begins, name.trim()))
}

fn dedented(lines: &[&str]) -> String {
    let indent = |line: &&str| line.len() - line.trim_start_matches(' ').len();
    let least = lines.iter().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    let lines: Vec<&str> = lines.iter().map(|line| line.get(least..).unwrap_or_default()).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "fn a() {\n    // ANCHOR: x\n    if b {\n        // ANCHOR: y\n        c();\n        // ANCHOR_END: y\n    }\n    // ANCHOR_END: x\n}\n";

    #[test]
    fn an_excerpt_is_what_is_between_its_anchors() {
        assert_eq!(excerpt(SOURCE, Some("x")).expect("x"), "if b {\n    c();\n}");
        assert_eq!(excerpt(SOURCE, Some("y")).expect("y"), "c();");
        assert_eq!(excerpt(SOURCE, None).expect("all"), "fn a() {\n    if b {\n        c();\n    }\n}");
    }

    #[test]
    fn what_is_wrong_with_an_anchor_is_said() {
        let told = |source: &str| excerpt(source, Some("x")).expect_err("wrong").to_string();
        assert_eq!(told("a"), "x: there is no such anchor");
        assert_eq!(told("# ANCHOR: x\na"), "x: the anchor has no ANCHOR_END");
        assert_eq!(told("# ANCHOR: x\n\n# ANCHOR_END: x"), "x: nothing is in it");
    }
}
