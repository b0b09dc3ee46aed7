//! Finds which file imports which.
//!
//! A file imports another one when it names an item that the other one defines: in a `use`, or by a path within the
//! code. A re-export (`pub use x::Item`) is followed to the definition and is not itself an import. Neither is the
//! declaration of a module, nor a `use` of a module alone: the paths through it count. What is under `#[cfg(test)]` is
//! left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// The text of each file by its path.
pub(crate) type Sources = BTreeMap<PathBuf, String>;

/// The segments of a path: `crate`, `ipc`, `Channel`.
type PathSegments = Vec<String>;

/// The attribute of code that is compiled only for unit tests.
const TESTS: &str = "[cfg(test)]";

/// The files that each file imports, each with one path that does so.
pub(crate) type Imports<'a> = BTreeMap<&'a Path, BTreeMap<&'a Path, String>>;

/// A module, in a file of its own or within one.
struct Module {
    file: PathBuf,
    /// The root of a crate is its own parent.
    parent: usize,
    children: BTreeMap<String, usize>,
    /// The path that each name of a `use` declaration stands for.
    bindings: BTreeMap<String, PathSegments>,
    /// Every path in its code and in its `use` declarations, except for re-exports.
    paths: Vec<PathSegments>,
}

/// A crate: its root, and every file that `mod` declarations lead to from there.
pub(crate) struct Crate<'a> {
    sources: &'a Sources,
    /// The root first.
    modules: Vec<Module>,
    /// The files of all modules that are declared, those of tests included.
    pub(crate) declared: BTreeSet<PathBuf>,
}

impl<'a> Crate<'a> {
    /// Reads the crate whose root is this file.
    pub(crate) fn read(sources: &'a Sources, root: &Path) -> Crate<'a> {
        let mut read = Crate { sources, modules: Vec::new(), declared: BTreeSet::new() };
        read.add_module(root, 0, None);
        read
    }

    /// The file of the crate's root.
    pub(crate) fn root(&self) -> &Path {
        &self.modules[0].file
    }

    /// Adds the module of a whole file, or the inline module that consists of `tokens`.
    fn add_module(&mut self, file: &Path, parent: usize, tokens: Option<TokenStream>) -> usize {
        let number = self.modules.len();
        let (children, bindings) = (BTreeMap::new(), BTreeMap::new());
        self.modules.push(Module { file: file.to_owned(), parent, children, bindings, paths: Vec::new() });
        let tokens = tokens.unwrap_or_else(|| self.sources[file].parse().expect("Rust"));
        self.read_tokens(number, tokens);
        number
    }

    /// Reads the declarations and paths in the code of a module.
    fn read_tokens(&mut self, module: usize, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        let mut attributes = String::new();
        while let Some(token) = tokens.get(at) {
            let (before, after) = (&tokens[..at], &tokens[at + 1..]);
            at += 1;
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let inner = usize::from(after.first().is_some_and(|next| is(next, '!')));
                    let text = after.get(inner).map(ToString::to_string).unwrap_or_default().replace(' ', "");
                    if !text.starts_with("[doc=") {
                        attributes += &text;
                    }
                    at += inner + 1;
                    continue;
                }
                TokenTree::Group(group) => self.read_tokens(module, group.stream()),
                TokenTree::Ident(word) if word == "pub" => {
                    at += usize::from(matches!(after.first(), Some(TokenTree::Group(_))));
                    continue;
                }
                TokenTree::Ident(word) if word == "mod" => {
                    self.read_mod(module, after, &std::mem::take(&mut attributes));
                    at += 2;
                }
                TokenTree::Ident(_) if attributes.contains(TESTS) => {
                    let is_end = |token: &TokenTree| is(token, ';') || brace(token).is_some();
                    at += after.iter().position(is_end).map_or(after.len(), |end| end + 1);
                }
                TokenTree::Ident(word) if word == "use" && !after.first().is_some_and(|next| is(next, '<')) => {
                    let end = after.iter().position(|next| is(next, ';')).unwrap_or(after.len());
                    self.read_use(module, &mut Vec::new(), &after[..end], is_public(before));
                    at += end + 1;
                }
                TokenTree::Ident(_) => {
                    let path = path(&tokens[at - 1..]);
                    at += 3 * (path.len() - 1);
                    if starts_a_path(before) && may_be_an_item(&path, tokens.get(at)) {
                        self.modules[module].paths.push(path);
                    }
                }
                _ => {}
            }
            attributes.clear();
        }
    }

    /// Follows `mod name;` and `mod name { … }`.
    fn read_mod(&mut self, module: usize, after: &[TokenTree], attributes: &str) {
        let [name, body, ..] = after else { return };
        let (name, tested) = (name.to_string(), attributes.contains(TESTS));
        let file = self.modules[module].file.clone();
        let (file, tokens) = match brace(body) {
            Some(tokens) => (Some(file), Some(tokens)),
            None => (self.file_of(&file, &name, attributes), None),
        };
        let Some(file) = file else { return };
        if tokens.is_none() {
            self.declared.insert(file.clone());
        }
        if !tested {
            let child = self.add_module(&file, module, tokens);
            self.modules[module].children.insert(name, child);
        }
    }

    /// The file of the module `name` that is declared in `file`, perhaps with `#[path = "…"]`.
    fn file_of(&self, file: &Path, name: &str, attributes: &str) -> Option<PathBuf> {
        let directory = file.parent()?;
        let own = directory.join(file.file_stem()?);
        let path = attributes.split_once("[path=").and_then(|(_, rest)| rest.split('"').nth(1));
        let mut candidates = match path {
            Some(path) => vec![directory.join(path)],
            None => [&own, directory]
                .iter()
                .flat_map(|at| [at.join(format!("{name}.rs")), at.join(name).join("mod.rs")])
                .collect(),
        };
        candidates.iter_mut().for_each(|candidate| *candidate = without_dots(candidate));
        candidates.into_iter().find(|candidate| self.sources.contains_key(candidate))
    }

    /// Reads the part of a declaration between `use` and `;`.
    fn read_use(&mut self, module: usize, prefix: &mut PathSegments, tokens: &[TokenTree], public: bool) {
        for tree in tokens.split(|token| is(token, ',')).filter(|tree| !tree.is_empty()) {
            let start = tree.iter().position(|token| !is(token, ':')).unwrap_or_default();
            let mut full = [prefix.clone(), path(&tree[start..])].concat();
            match tree.last() {
                Some(TokenTree::Group(group)) => {
                    let inner: Vec<_> = group.stream().into_iter().collect();
                    self.read_use(module, &mut full, &inner, public);
                    continue;
                }
                Some(TokenTree::Punct(_)) => full.push("*".to_owned()),
                _ => {}
            }
            if full.last().is_some_and(|name| name == "self") && full.len() > 1 {
                full.pop();
            }
            let renamed = tree.iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "as"));
            let name = if renamed { tree[tree.len() - 1].to_string() } else { full[full.len() - 1].clone() };
            if !public {
                self.modules[module].paths.push(full.clone());
            }
            // A glob is an import of the module that it names. It binds no name that is known here.
            if name != "*" {
                self.modules[module].bindings.insert(name, full);
            }
        }
    }

    /// Lists what each file imports.
    pub(crate) fn imports(&self) -> Imports<'_> {
        let mut imports = Imports::new();
        for (number, module) in self.modules.iter().enumerate() {
            for path in &module.paths {
                let Some(found) = self.resolve(number, path, 0) else { continue };
                let found = &*self.modules[found].file;
                if found != module.file {
                    imports.entry(&module.file).or_default().entry(found).or_insert_with(|| path.join("::"));
                }
            }
        }
        imports
    }

    /// Finds the module that defines the item at the end of a path. `None` when the path leads out of the crate or to a
    /// module.
    fn resolve(&self, from: usize, path: &[String], depth: usize) -> Option<usize> {
        let here = &self.modules[from];
        let mut at = match &*path[0] {
            _ if depth > 16 => return None,
            "crate" => 0,
            "self" | "super" => from,
            name if here.children.contains_key(name) || here.bindings.contains_key(name) => from,
            _ => return None,
        };
        for (place, name) in path.iter().enumerate() {
            let here = &self.modules[at];
            let (child, rest) = (here.children.get(name), &path[place + 1..]);
            match (&**name, child, here.bindings.get(name)) {
                ("crate" | "self", ..) => {}
                ("super", ..) => at = here.parent,
                // A function and a module may share a name, which then stands for the function where it comes last.
                (_, Some(child), binding) if !rest.is_empty() || binding.is_none() => at = *child,
                (_, _, Some(binding)) => return self.resolve(at, &[binding, rest].concat(), depth + 1),
                _ => return Some(at),
            }
        }
        None
    }
}

fn is(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// Whether the tokens end with `pub` or `pub(…)`.
fn is_public(before: &[TokenTree]) -> bool {
    let before = if let [before @ .., TokenTree::Group(_)] = before { before } else { before };
    matches!(before, [.., TokenTree::Ident(word)] if word == "pub")
}

/// The tokens between braces.
fn brace(token: &TokenTree) -> Option<TokenStream> {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
        _ => None,
    }
}

/// The path at the beginning of the tokens.
fn path(tokens: &[TokenTree]) -> PathSegments {
    let mut path = PathSegments::new();
    let mut rest = tokens;
    while let [TokenTree::Ident(word), after @ ..] = rest {
        path.push(word.to_string());
        let [TokenTree::Punct(first), TokenTree::Punct(second), after @ ..] = after else { break };
        let colons = (first.as_char(), first.spacing(), second.as_char()) == (':', Spacing::Joint, ':');
        rest = if colons { after } else { break };
    }
    path
}

/// Whether a path can begin after these tokens: not after the dot of a method or field, nor after `::`, nor in a
/// lifetime.
fn starts_a_path(before: &[TokenTree]) -> bool {
    match before {
        [.., first, second] if is(second, '.') || is(second, ':') => {
            let twice = matches!((first, second), (TokenTree::Punct(first), TokenTree::Punct(second))
                if first.as_char() == second.as_char() && first.spacing() == Spacing::Joint);
            twice == is(second, '.')
        }
        [.., last] => !is(last, '\''),
        [] => true,
    }
}

/// Whether a path can name an imported item. A single word does when it is a type or a constant, or is called; others
/// are variables.
fn may_be_an_item(path: &[String], after: Option<&TokenTree>) -> bool {
    let called = matches!(after, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
    path.len() > 1 || called || path[0].starts_with(char::is_uppercase)
}

/// Resolves `..`: `a/b/../c` is `a/c`.
fn without_dots(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut done, component| {
        if component != Component::ParentDir {
            done.push(component);
        } else {
            done.pop();
        }
        done
    })
}
