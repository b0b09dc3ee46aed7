//! What the chapters are made of besides prose: `{{#output}}` and the others, each from a file of the repository.
//!
//! | directive | file |
//! |---|---|
//! | `lab`, `prediction` | `lab.rs` |
//! | `output`, `step` | `output.rs`, in tabs by `tabs.rs`, as the next three |
//! | `diagram` | `diagram.rs` |
//! | `code`, `source` | `code.rs` |
//! | `trace` | `trace.rs` |
//! | `cost` | `cost.rs`; `charts.rs` for the report itself |
//! | `fact`, `seen`, `claim`, in a line of text | `links.rs` |
//!
//! A directive becomes HTML in one line: Markdown takes a blank line for the end of a block of HTML.

mod charts;
mod claims;
mod code;
mod cost;
pub(crate) mod diagram;
mod find;
mod lab;
mod links;
pub(crate) mod output;
mod page;
mod tabs;
mod trace;

use std::rc::Rc;

use mdbook_preprocessor::book::{Book, BookItem};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::catalogue::Catalogue;
use crate::failure::Error;
use find::Directive;
use page::Page;

/// The preprocessor that puts the pieces of the repository into the chapters.
#[derive(Debug)]
pub(crate) struct Directives {
    pub(crate) catalogue: Rc<Catalogue>,
}

impl Preprocessor for Directives {
    fn name(&self) -> &'static str {
        "forklore"
    }

    fn run(&self, context: &PreprocessorContext, mut book: Book) -> mdbook_preprocessor::errors::Result<Book> {
        let mut errors = Vec::new();
        book.for_each_mut(|item| {
            let BookItem::Chapter(chapter) = item else { return };
            let Some(path) = chapter.path.clone() else { return };
            let source = context.root.join(&context.config.book.src).join(&path);
            let page = Page::new(&self.catalogue, &path, &source);
            match expand(&page, &chapter.content) {
                Ok(content) => chapter.content = content,
                Err(found) => errors.push(found),
            }
        });
        Error::all(errors)?;
        Ok(book)
    }
}

/// The chapter with its directives replaced.
///
/// # Errors
///
/// All that are wrong, each with its line.
fn expand(page: &Page<'_>, content: &str) -> Result<String, Error> {
    let source = page.catalogue.root.join("book/src");
    let content = &charts::with_charts(&page.path, &source, &claims::with_anchors(&page.path, content));
    let mut text = String::with_capacity(content.len() * 2);
    let (mut errors, mut done) = (Vec::new(), 0);
    for (count, directive) in find::find(content).into_iter().enumerate() {
        text += &content[done..directive.range.start];
        done = directive.range.end;
        match replace(page, &directive, count) {
            Ok(html) => text += &html,
            Err(error) => errors.push(error.at(&page.place(&directive))),
        }
    }
    Error::all(errors)?;
    text += &content[done..];
    Ok(text)
}

fn replace(page: &Page<'_>, directive: &Directive<'_>, count: usize) -> Result<String, Error> {
    let words = directive.words.as_str();
    let html = match directive.name {
        "fact" => return links::fact(page, words),
        "seen" => return links::seen(page, words),
        "claim" => return links::claim(page, words),
        "lab" => lab::card(page.lab()?),
        "prediction" => Ok(lab::prediction(page.lab()?)),
        "output" => output::all(page, count),
        "step" => output::step(page, words, count),
        "diagram" => diagram::diagram(page, words, count),
        "code" => code::tabs(page, words, count),
        "source" => code::source(page, words),
        "trace" => trace::trace(page, words, count),
        "cost" => cost::cost(page, words),
        // mdBook has obeyed those that it could.
        "include" if words.starts_with("benchmarks/") => Ok(cost::UNMEASURED.to_owned()),
        "include" => Err(Error::new(directive.whole, "there is no such file, or it cannot be read")),
        name => Err(Error::new(format!("{{{{#{name}}}}}"), "there is no such directive")),
    }?;
    if !directive.alone {
        return Err(Error::new(directive.whole, "it must stand in a line of its own"));
    }
    debug_assert!(!html.contains("\n\n"), "a blank line would end the block");
    Ok(format!("\n{html}\n"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn expanded(path: &str, content: &str) -> Result<String, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the repository");
        let catalogue = Catalogue::open(root).expect("the labs");
        let source = content.to_owned();
        let page = Page { source, ..Page::new(&catalogue, Path::new(path), &root.join("book/src").join(path)) };
        super::expand(&page, content).map_err(|error| error.to_string())
    }

    const LAB: &str = "labs/05-handle-passing.md";

    #[test]
    fn a_fault_is_told_with_its_place() {
        let told = |content: &str| expanded(LAB, content).expect_err("a fault");
        assert_eq!(
            told("a\n\n{{#nosuch}}\n"),
            "book/src/labs/05-handle-passing.md:3: {{#nosuch}}: there is no such directive"
        );
        assert!(
            told("{{#fact 05 nothing}}").contains("\"nothing\": lab 05 has none of this name, but \"who answered\"")
        );
        assert!(told("{{#fact 99 nothing}}").contains("lab \"99\": there is none of this number"));
        assert!(told("{{#seen 05 1 no such words}}").contains("no line of lab 05, step 1, has these words"));
        assert!(told("{{#step 9}}").contains("lab 05 has none"));
        assert!(told("{{#diagram 2-9}}").contains("lab 05 has the steps 1 to 3"));
        assert!(told("{{#code rust src/main.rs:no-such-anchor}}").contains("no-such-anchor: there is no such anchor"));
        assert!(told("{{#source src/nosuch.rs}}").contains("src/nosuch.rs: there is no such file"));
        assert!(told("{{#claim 37}}").contains("they go from 1 to 36"));
        assert!(told("words {{#output}} words").contains("it must stand in a line of its own"));
        assert_eq!(told("{{#claim 0}}\n\n{{#step 9}}").lines().count(), 2, "all faults are told at once");
        assert!(expanded("glossary.md", "{{#output}}").expect_err("no lab").contains("it is about no lab"));
    }

    #[test]
    fn what_stands_in_a_line_leads_to_its_place() {
        let here = expanded(LAB, "a {{#fact 05 one socket inode in all three}} b").expect("a fact");
        assert_eq!(here, "a <a class=\"fact\" href=\"#fact-one-socket-inode-in-all-three\">yes</a> b");
        let elsewhere =
            expanded("protocol.md", "{{#seen 05 2 parent ──handle──▶ child 1 server}}, {{#claim 7}}").expect("a line");
        assert_eq!(
            elsewhere,
            "<a class=\"seen\" href=\"labs/05-handle-passing.md#line-2-1\">lab 05, step 2</a>, \
             <a class=\"claim\" href=\"claims.md#claim-7\">claim 7</a>"
        );
    }

    #[test]
    fn a_prediction_has_an_answer_for_each_language_where_they_differ() {
        let answers = |path| {
            let html = expanded(path, "{{#prediction}}").expect("a question");
            (html.contains("<strong>In Rust: "), html.contains("<strong>In Node: "))
        };
        assert_eq!([answers(LAB), answers("labs/17-node-cluster.md")], [(false, false), (true, true)]);
    }

    /// A blank line ends a block of HTML in Markdown.
    #[test]
    fn every_block_is_one_line() {
        for directive in
            ["{{#lab}}", "{{#prediction}}", "{{#output}}", "{{#step 2}}", "{{#trace}}", "{{#trace 2}}", "{{#diagram}}"]
        {
            let html = expanded(LAB, directive).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(html.trim().lines().count(), 1, "{directive}");
        }
        let code = expanded(LAB, "{{#code rust src/main.rs node node/parent.js}}").expect("two files");
        assert_eq!((code.trim().lines().count(), code.matches("class=\"tab\"").count()), (1, 2));
        assert!(!code.contains("ANCHOR"));
    }
}
