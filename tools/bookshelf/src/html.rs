//! Text as HTML inside Markdown: without a line break, since a blank line would end an HTML block.

/// Text between tags or in an attribute, in a block of HTML.
pub(crate) fn text(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\n' => html.push_str("&#10;"),
            // Markdown would make four columns of it.
            '\t' => html.push_str("&#9;"),
            c => html.push(c),
        }
    }
    html
}

/// Text inside a paragraph: no punctuation of it means anything to Markdown either.
pub(crate) fn inline(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_punctuation() { format!("&#{};", u32::from(c)) } else { c.to_string() })
        .collect()
}

/// `code` between backticks as `<code>`, the rest as text.
pub(crate) fn with_code(source: &str) -> String {
    let parts = source.split('`').enumerate();
    parts.map(|(i, part)| if i % 2 == 1 { format!("<code>{}</code>", text(part)) } else { text(part) }).collect()
}

/// A name as an anchor: `one inode in all three` is `one-inode-in-all-three`.
pub(crate) fn anchor(name: &str) -> String {
    let mut anchor = String::new();
    for c in name.chars() {
        if c.is_alphanumeric() {
            anchor.extend(c.to_lowercase());
        } else if !anchor.is_empty() && !anchor.ends_with('-') {
            anchor.push('-');
        }
    }
    anchor.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_what_it_is() {
        assert_eq!(text("a <b> & \"c\"\n\nd"), "a &lt;b&gt; &amp; &quot;c&quot;&#10;&#10;d");
        assert_eq!(inline("10 10 | *"), "10 10 &#124; &#42;");
        assert_eq!(with_code("`a<b` and c"), "<code>a&lt;b</code> and c");
        assert_eq!(anchor("who answered: GET / 10.5?"), "who-answered-get-10-5");
    }
}
