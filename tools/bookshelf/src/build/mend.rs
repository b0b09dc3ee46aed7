//! What is changed in the pages that mdBook made: faults of its template that neither a style sheet nor a preprocessor can reach.

use std::fs;
use std::path::Path;

use crate::catalogue::read_text;
use crate::failure::Error;

/// What stands in every page (and in no chapter), and what stands there afterwards.
const EVERYWHERE: &[(&str, &str)] = &[
    // Only two themes.
    ("<li role=\"none\"><button role=\"menuitem\" class=\"theme\" id=\"mdbook-theme-rust\">Rust</button></li>", ""),
    ("id=\"mdbook-theme-coal\">Coal</button>", "id=\"mdbook-theme-coal\">Dark</button>"),
    ("<li role=\"none\"><button role=\"menuitem\" class=\"theme\" id=\"mdbook-theme-navy\">Navy</button></li>", ""),
    ("<li role=\"none\"><button role=\"menuitem\" class=\"theme\" id=\"mdbook-theme-ayu\">Ayu</button></li>", ""),
    // A label may have none of these.
    (
        " title=\"Toggle Table of Contents\" aria-label=\"Toggle Table of Contents\" aria-controls=\"mdbook-sidebar\"",
        "",
    ),
    // The search box has a name, and says truly what describes it.
    (
        "<div id=\"mdbook-search-wrapper\" class=\"hidden\">",
        "<div id=\"mdbook-search-wrapper\" class=\"hidden\" role=\"search\">",
    ),
    (
        " aria-describedby=\"searchresults-header\"",
        " aria-label=\"Search this book\" aria-describedby=\"mdbook-searchresults-header\"",
    ),
    // A landmark: everything on a page must be in one.
    (
        "<div id=\"mdbook-menu-bar\" class=\"menu-bar sticky\">",
        "<div id=\"mdbook-menu-bar\" class=\"menu-bar sticky\" role=\"banner\">",
    ),
];

/// Mends all pages of the book in `out`, and says how many there are.
pub(super) fn all(out: &Path) -> Result<usize, Error> {
    let mut pages = 0;
    let mut folders = vec![out.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| Error::file(&folder, error))?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "html") {
                let page = read_text(&path)?;
                if let Some(page) = mended(&page).map_err(|error| Error::file(&path, error))? {
                    fs::write(&path, page).map_err(|error| Error::file(&path, error))?;
                    pages += 1;
                }
            }
        }
    }
    Ok(pages)
}

/// The page as it should be; nothing if it is none with a menu, such as the table of contents in its frame.
fn mended(page: &str) -> Result<Option<String>, String> {
    if !page.contains("id=\"mdbook-menu-bar\"") {
        return Ok(None);
    }
    let mut mended = page.to_owned();
    for (from, to) in EVERYWHERE {
        if !mended.contains(from) {
            return Err(format!("mdBook's template has changed: {from} is not there"));
        }
        mended = mended.replacen(from, to, 1);
    }
    // An empty cell is the head of nothing.
    for style in ["", " style=\"text-align: left\"", " style=\"text-align: center\"", " style=\"text-align: right\""] {
        mended = mended.replace(&format!("<th{style}></th>"), "<td></td>");
    }
    Ok(Some(mended))
}
