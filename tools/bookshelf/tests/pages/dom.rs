//! A page as a browser without JavaScript has it.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use assert_cmd::prelude::*;
use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// An element, with all text below it.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: String,
    attributes: BTreeMap<String, String>,
    pub(crate) text: String,
    /// The places of the elements below it.
    below: Range<usize>,
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.attribute("class").is_some_and(|classes| classes.split_whitespace().any(|one| one == class))
    }
}

/// A page of the built book.
#[derive(Debug)]
pub(crate) struct BuiltPage {
    /// From the book's root: `labs/05-handle-passing.html`.
    pub(crate) path: PathBuf,
    pub(crate) source: String,
    /// In the order of the document.
    pub(crate) elements: Vec<Element>,
    /// What is no HTML in it.
    pub(crate) errors: Vec<String>,
}

impl BuiltPage {
    fn read(root: &Path, path: &Path) -> BuiltPage {
        let source = fs::read_to_string(root.join(path)).expect("a page");
        let options = ParseOpts::default();
        let dom = parse_document(RcDom::default(), options).one(source.as_str());
        let mut elements = Vec::new();
        gather(&dom.document, &mut elements);
        let errors = dom.errors.borrow().iter().map(ToString::to_string).collect();
        BuiltPage { path: path.to_owned(), source, elements, errors }
    }

    /// What it is called in a failure.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub(crate) fn ids(&self) -> Vec<&str> {
        self.elements.iter().filter_map(|element| element.attribute("id")).collect()
    }

    /// The elements below another one.
    pub(crate) fn below(&self, element: &Element) -> &[Element] {
        &self.elements[element.below.clone()]
    }

    pub(crate) fn main(&self) -> &Element {
        self.elements.iter().find(|element| element.name == "main").expect("a page has a main part")
    }
}

/// Adds the elements below a node, and gives the text below it.
fn gather(node: &Handle, elements: &mut Vec<Element>) -> String {
    let index = elements.len();
    if let NodeData::Element { name, attrs, .. } = &node.data {
        let attributes = attrs.borrow();
        let attributes = attributes.iter().map(|one| (one.name.local.to_string(), one.value.to_string())).collect();
        elements.push(Element { name: name.local.to_string(), attributes, text: String::new(), below: 0..0 });
    }
    let mut text = match &node.data {
        NodeData::Text { contents } => contents.borrow().to_string(),
        _ => String::new(),
    };
    for child in node.children.borrow().iter() {
        text += &gather(child, elements);
    }
    if let NodeData::Element { .. } = node.data {
        elements[index].text.clone_from(&text);
        elements[index].below = index + 1..elements.len();
    }
    text
}

/// The book, built once for all tests.
pub(crate) struct Book {
    folder: tempfile::TempDir,
    pub(crate) pages: Vec<BuiltPage>,
    /// How long building took.
    pub(crate) took: Duration,
}

impl Book {
    pub(crate) fn get() -> &'static Book {
        static BOOK: OnceLock<Book> = OnceLock::new();
        BOOK.get_or_init(|| {
            let folder = tempfile::tempdir().expect("a folder");
            let start = Instant::now();
            let mut build = Command::new(env!("CARGO_BIN_EXE_bookshelf"));
            build.args(["build", "--out"]).arg(folder.path()).assert().success();
            let took = start.elapsed();
            let paths =
                files(folder.path()).into_iter().filter(|path| path.extension().is_some_and(|one| one == "html"));
            let pages = paths.map(|path| BuiltPage::read(folder.path(), &path)).collect();
            Book { folder, pages, took }
        })
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn page(&self, path: &Path) -> Option<&BuiltPage> {
        self.pages.iter().find(|page| page.path == path)
    }

    /// The pages of the labs, with their names.
    pub(crate) fn labs(&self) -> impl Iterator<Item = (String, &BuiltPage)> {
        self.pages.iter().filter(|page| page.path.starts_with("labs")).map(|page| {
            let name = page.path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, page)
        })
    }
}

/// All files below a folder, from there.
pub(crate) fn files(root: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root).expect("it is below").to_owned());
            }
        }
    }
    found.sort();
    found
}
