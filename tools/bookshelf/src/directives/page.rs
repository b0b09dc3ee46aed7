//! A chapter whose directives are being replaced.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use manifest::Lab;
use recording::Language;

use super::find::Directive;
use crate::catalogue::Catalogue;
use crate::failure::{Error, Place};
use crate::run::Run;

/// A chapter whose directives are being replaced.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) catalogue: &'a Catalogue,
    /// The lab that it is about, by its file name.
    pub(super) lab: Option<&'a Lab>,
    /// From the book's folder of sources: `labs/05-handle-passing.md`.
    pub(super) path: PathBuf,
    /// From the root of the repository.
    pub(super) file: PathBuf,
    /// What its author wrote.
    pub(super) source: String,
}

impl<'a> Page<'a> {
    pub(super) fn new(catalogue: &'a Catalogue, path: &Path, file: &Path) -> Page<'a> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let of_a_lab = path.parent().is_some_and(|folder| folder.ends_with("labs"));
        let source = std::fs::read_to_string(file).unwrap_or_default();
        let file = file.strip_prefix(&catalogue.root).unwrap_or(file).to_owned();
        let lab = catalogue.by_name(&stem).filter(|_| of_a_lab);
        Page { catalogue, lab, path: path.to_owned(), file, source }
    }

    pub(super) fn lab(&self) -> Result<&'a Lab, Error> {
        self.lab.ok_or_else(|| Error::new("it is about no lab", "only book/src/labs/NN-slug.md is"))
    }

    /// The recorded runs of its lab.
    pub(super) fn runs(&self) -> Result<Vec<(Language, Arc<Run>)>, Error> {
        self.catalogue.runs(self.lab()?)
    }

    /// What leads from this page to the book's root: `../`.
    pub(super) fn to_root(&self) -> String {
        "../".repeat(self.path.components().count().saturating_sub(1))
    }

    /// The line of the directive, in what its author wrote.
    pub(super) fn place(&self, directive: &Directive<'_>) -> Place {
        let before = self.source.find(directive.whole).map_or("", |at| &self.source[..at]);
        Place { file: self.file.clone(), line: before.matches('\n').count() + 1 }
    }
}
