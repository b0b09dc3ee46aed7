//! Anchors for the rows of the table of claims: a row that begins with a claim's number is `#claim-16`.

use std::path::Path;

/// How many claims there are.
pub(super) const CLAIMS: u32 = 36;

/// The page of the claims.
pub(super) const PAGE: &str = "claims.md";

/// The anchor of a claim.
pub(super) fn anchor(number: u32) -> String {
    format!("claim-{number}")
}

/// `content` with an anchor in each row of a table that begins with a claim's number, if this is the page of the claims and it does
/// not have that anchor itself.
pub(super) fn with_anchors(path: &Path, content: &str) -> String {
    if path != Path::new(PAGE) {
        return content.to_owned();
    }
    let lines = content.lines().map(|line| match row(line) {
        Some((number, rest)) if !has_anchor(content, number) => {
            format!("| <span id=\"{}\">{number}</span> |{rest}", anchor(number))
        }
        _ => line.to_owned(),
    });
    lines.map(|line| line + "\n").collect()
}

fn has_anchor(content: &str, number: u32) -> bool {
    let anchor = anchor(number);
    content.contains(&format!("id=\"{anchor}\"")) || content.contains(&format!("{{#{anchor}}}"))
}

/// The number that a row begins with, and what follows its cell.
fn row(line: &str) -> Option<(u32, &str)> {
    let (number, rest) = line.strip_prefix('|')?.split_once('|')?;
    let number = number.trim().parse().ok()?;
    (1..=CLAIMS).contains(&number).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_claims_get_anchors() {
        let table = "| # | claim |\n|---|---|\n| 16 | a |\n| 99 | b |\n";
        let wanted = "| # | claim |\n|---|---|\n| <span id=\"claim-16\">16</span> | a |\n| 99 | b |\n";
        assert_eq!(with_anchors(Path::new(PAGE), table), wanted);
        assert_eq!(with_anchors(Path::new("other.md"), table), table);
        let own = "## 16 {#claim-16}\n| 16 | a |\n";
        assert_eq!(with_anchors(Path::new(PAGE), own), own);
    }
}
