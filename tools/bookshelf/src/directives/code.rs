//! `{{#code rust src/main.rs:ANCHOR node node/parent.js:ANCHOR}}` and `{{#source src/ipc/frame.rs:ANCHOR}}`: excerpts.

use std::path::Path;

use super::page::Page;
use super::tabs;
use crate::catalogue::read_text;
use crate::excerpt::excerpt;
use crate::failure::Error;
use crate::html::text;

/// The languages of the tabs: as the directive and as people call them.
const LANGUAGES: [(&str, &str); 3] = [("rust", "Rust"), ("node", "Node"), ("python", "Python")];

pub(super) fn tabs(page: &Page<'_>, words: &str, count: usize) -> Result<String, Error> {
    let lab = page.lab()?;
    let words: Vec<&str> = words.split_whitespace().collect();
    let (pairs, []) = words.as_chunks::<2>() else {
        return Err(Error::new(words.join(" "), "each tab is a language and a file"));
    };
    if pairs.is_empty() {
        return Err(Error::new("{{#code}}", "it names no file"));
    }
    let mut panels = Vec::new();
    for [language, file] in pairs {
        let name = LANGUAGES.iter().find(|(word, _)| word == language).map(|(_, name)| *name);
        let name =
            name.ok_or_else(|| Error::new(format!("{language:?}"), "the languages are rust, node and python"))?;
        let html = figure(page, Path::new("labs").join(&lab.name).as_path(), file, Some(name))?;
        panels.push((name.to_owned(), html));
    }
    Ok(tabs::tabs(&format!("code-{}-{count}", lab.number()), panels))
}

pub(super) fn source(page: &Page<'_>, words: &str) -> Result<String, Error> {
    figure(page, Path::new(""), words, None)
}

/// An excerpt of `file`, which is `path:ANCHOR` or `path`, in `folder`; `language` is the name of its tab.
fn figure(page: &Page<'_>, folder: &Path, file: &str, language: Option<&str>) -> Result<String, Error> {
    let (path, anchor) = file.split_once(':').map_or((file, None), |(path, anchor)| (path, Some(anchor)));
    let path = folder.join(path);
    let code =
        read_text(&page.catalogue.root.join(&path)).map_err(|_| Error::new(path.display(), "there is no such file"))?;
    let code = excerpt(&code, anchor).map_err(|error| Error::new(path.display(), error))?;
    let shown = path.display();
    let language = language.map(|name| format!("<span class=\"language\">{name}</span> ")).unwrap_or_default();
    Ok(format!(
        "<figure class=\"code\"><figcaption>{language}<span class=\"path\">{shown}</span></figcaption>\
         <pre tabindex=\"0\" role=\"group\" aria-label=\"{shown}\"><code class=\"language-{}\">{}</code></pre></figure>",
        highlighter(&path),
        text(&code),
    ))
}

/// What the highlighter calls the language of a file.
fn highlighter(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("rs") => "rust",
        Some("js") => "javascript",
        Some("py") => "python",
        Some("toml") => "ini",
        Some("json") => "json",
        Some("sh") => "bash",
        _ => "plaintext",
    }
}
