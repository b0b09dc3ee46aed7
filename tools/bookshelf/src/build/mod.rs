//! Building the book: mdBook as a library, with our directives, our theme and the faults of its pages mended.
//!
//! | file | what it holds |
//! |---|---|
//! | `mend.rs` | what is changed in the pages that mdBook made |
//! | `folder.rs` | the folder that a book may be built in |

mod folder;
mod mend;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use mdbook_driver::MDBook;
use mdbook_driver::config::Config;

use crate::catalogue::{Catalogue, read_text};
use crate::directives::Directives;
use crate::failure::Error;

/// A book that was built.
#[derive(Debug)]
pub(crate) struct Built {
    /// Where it is.
    pub(crate) out: PathBuf,
    /// How many pages it has.
    pub(crate) pages: usize,
}

/// Builds the book of the repository at `root` in the folder `out`: static pages. What a served one has besides, `serve/pages.rs` adds.
///
/// # Errors
///
/// All that is wrong with the chapters, each with its file and line; what could not be read or written.
pub(crate) fn build(root: &Path, out: &Path) -> Result<Built, Error> {
    let catalogue = Rc::new(Catalogue::open(root)?);
    folder::prepare(out)?;
    let book = root.join("book");
    let mut config = Config::from_disk(book.join("book.toml")).map_err(|error| told(&error))?;
    config.build.build_dir = std::path::absolute(out).map_err(|error| Error::file(out, error))?;
    let summary = mdbook_summary::parse_summary(&summary(&book.join("src"))?).map_err(|error| told(&error))?;
    let mut mdbook = MDBook::load_with_config_and_summary(&book, config, summary).map_err(|error| told(&error))?;
    mdbook.with_preprocessor(Directives { catalogue });
    let built = mdbook.build();
    // mdBook has taken the mark away with the old pages; the folder stays ours, whatever came of the new ones.
    folder::claim(out)?;
    built.map_err(|error| told(&error))?;
    let pages = mend::all(out)?;
    Ok(Built { out: out.to_owned(), pages })
}

/// The table of contents, without the chapters that are not written yet: whoever writes one wants to look at it.
fn summary(source: &Path) -> Result<String, Error> {
    let path = source.join("SUMMARY.md");
    let is_there = |line: &&str| match line.rsplit_once('(').and_then(|(_, rest)| rest.split_once(')')) {
        Some((chapter, _)) if !source.join(chapter).is_file() => {
            eprintln!("{}: {chapter} is not written yet", path.display());
            false
        }
        _ => true,
    };
    let text = read_text(&path)?;
    Ok(text.lines().filter(is_there).map(|line| line.to_owned() + "\n").collect())
}

/// What mdBook says, with all its reasons; ours as they are.
fn told(error: &mdbook_driver::errors::Error) -> Error {
    if let Some(own) = error.chain().find_map(|reason| reason.downcast_ref::<Error>()) {
        return own.clone();
    }
    let reasons: Vec<String> = error.chain().map(ToString::to_string).collect();
    Error::new("the book", reasons.join(": "))
}
