//! Finding the directives in a chapter: `{{#name words}}`, but not where Markdown has code.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag};

/// A directive as it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive<'a> {
    pub(super) name: &'a str,
    /// What stands behind the name.
    pub(super) words: String,
    /// All of it, with its braces.
    pub(super) whole: &'a str,
    /// Where it is, in bytes.
    pub(super) range: Range<usize>,
    /// Whether nothing else stands in its line.
    pub(super) alone: bool,
}

/// The directives of a text, in order.
pub(super) fn find(text: &str) -> Vec<Directive<'_>> {
    let mut found: Vec<Directive<'_>> = Vec::new();
    for directive in each(text) {
        match found.last_mut() {
            // Their tables would have the same heads.
            Some(last)
                if (last.name, directive.name) == ("cost", "cost")
                    && text[last.range.end..directive.range.start].trim().is_empty() =>
            {
                last.words = format!("{} {}", last.words, directive.words);
                last.range.end = directive.range.end;
            }
            _ => found.push(directive),
        }
    }
    found
}

fn each(text: &str) -> Vec<Directive<'_>> {
    let code = code(text);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("{{#").map(|at| from + at) {
        from = start + "{{#".len();
        let Some(end) = text[from..].find("}}").map(|at| from + at) else { break };
        let inner = &text[from..end];
        let range = start..end + "}}".len();
        if inner.contains("{{#") || code.iter().any(|code| code.contains(&start)) {
            continue;
        }
        from = range.end;
        let inner = inner.trim();
        let (name, words) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        let before = text[..range.start].rsplit('\n').next().unwrap_or_default();
        let after = text[range.end..].split('\n').next().unwrap_or_default();
        let alone = before.trim().is_empty() && after.trim().is_empty();
        found.push(Directive { name, words: words.trim().to_owned(), whole: &text[range.clone()], range, alone });
    }
    found
}

/// Where a text has code, in blocks or in lines.
fn code(text: &str) -> Vec<Range<usize>> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    let events = Parser::new_ext(text, options).into_offset_iter();
    events
        .filter(|(event, _)| matches!(event, Event::Code(_) | Event::Start(Tag::CodeBlock(_))))
        .map(|(_, range)| range)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_found_where_markdown_has_no_code() {
        let text = "# a\n\n{{#lab}}\n\nsee {{#fact 05 the  name}}, `{{#code}}`\n\n```text\n{{#output}}\n```\n\n| a {{#claim 1}} |\n|---|\n\n{{#open";
        let found = find(text);
        let told: Vec<_> = found.iter().map(|one| (one.name, one.words.as_str(), one.alone)).collect();
        assert_eq!(told, [("lab", "", true), ("fact", "05 the  name", false), ("claim", "1", false)]);
        assert_eq!(&text[found[0].range.clone()], "{{#lab}}");
    }

    #[test]
    fn neighbouring_costs_are_one() {
        let text = "{{#cost a}}\n\n{{#cost b}}\n\nwords\n\n{{#cost c}}\n";
        let found = find(text);
        assert_eq!(found.iter().map(|one| one.words.as_str()).collect::<Vec<_>>(), ["a b", "c"]);
        assert_eq!(&text[found[0].range.clone()], "{{#cost a}}\n\n{{#cost b}}");
    }
}
