//! Finds files that import themselves by way of others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use crate::imports::{Crate, Imports, Sources};

/// Finds the cycles in every crate, each as `a.rs → b.rs → a.rs` with the paths that close it.
pub(crate) fn cycles(sources: &Sources) -> BTreeSet<String> {
    let mut crates: Vec<Crate> = sources.keys().map(|file| Crate::read(sources, file)).collect();
    let declared: BTreeSet<PathBuf> = crates.iter().flat_map(|read| read.declared.iter().cloned()).collect();
    crates.retain(|read| !declared.contains(read.root()));
    crates.iter().flat_map(|read| cycles_among(&read.imports())).collect()
}

/// Finds the shortest cycle of each file that is not part of a cycle found before.
fn cycles_among(imports: &Imports<'_>) -> Vec<String> {
    let (mut found, mut reported) = (Vec::new(), BTreeSet::new());
    for file in imports.keys() {
        if let Some(cycle) = cycle_of(file, imports).filter(|_| !reported.contains(file)) {
            let names: Vec<_> = cycle.iter().map(|file| file.display().to_string()).collect();
            let reason = |pair: &[&Path]| format!("\n    {} names {}", pair[0].display(), imports[pair[0]][pair[1]]);
            found.push(names.join(" → ") + &cycle.windows(2).map(reason).collect::<String>());
            reported.extend(cycle);
        }
    }
    found
}

/// Finds the shortest way from a file to itself.
fn cycle_of<'a>(start: &'a Path, imports: &Imports<'a>) -> Option<Vec<&'a Path>> {
    let mut ways = VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in imports.get(way[way.len() - 1]).into_iter().flat_map(BTreeMap::keys) {
            let longer = [&*way, &[*next]].concat();
            if *next == start {
                return Some(longer);
            }
            if seen.insert(*next) {
                ways.push_back(longer);
            }
        }
    }
    None
}

mod tests {
    use super::*;

    /// The cycles in a tree of made-up files.
    fn cycles_in(files: &[(&str, &str)]) -> Vec<String> {
        let sources = files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned()));
        cycles(&sources.collect()).into_iter().collect()
    }

    #[test]
    fn an_import_each_way_is_a_cycle() {
        let found = cycles_in(&[
            ("src/lib.rs", "mod a; mod b; mod c;"),
            ("src/a.rs", "use crate::b::B; pub struct A(B);"),
            ("src/b.rs", "pub struct B; impl B { fn c() { vec![super::c::call()]; } }"),
            ("src/c.rs", "use super::a; pub fn call() { a::A::new() }"),
        ]);
        let names = "src/a.rs names crate::b::B\n    src/b.rs names super::c::call\n    src/c.rs names a::A::new";
        assert_eq!(found, [format!("src/a.rs → src/b.rs → src/c.rs → src/a.rs\n    {names}")]);
    }

    #[test]
    fn a_re_export_is_an_import_of_the_definition() {
        let found = cycles_in(&[
            ("src/main.rs", "mod x;"),
            (
                "src/x/mod.rs",
                "mod one; #[path = \"../two.rs\"] mod two; pub(crate) use one::One; pub use self::two::{Two as Second};",
            ),
            ("src/x/one.rs", "use super::Second; pub struct One;"),
            ("src/two.rs", "fn of(_: crate::x::One) {}"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("src/two.rs → src/x/one.rs → src/two.rs\n"), "{found:?}");
    }

    #[test]
    fn a_parent_and_its_child_may_be_a_cycle() {
        let parent = |text: &str| cycles_in(&[("src/lib.rs", text), ("src/a.rs", "use super::*; pub fn f() {}")]).len();
        assert_eq!(parent("mod a; fn g() { a::f(); }"), 1);
        assert_eq!(parent("mod a; use a::f;"), 1);
        assert_eq!(parent("mod a; use std::io::*; fn g() { a::f() }"), 1);
        assert_eq!(parent("mod a; pub use a::f; fn g() { f() }"), 1);
        assert_eq!(parent("mod a; pub use a::f;"), 0);
    }

    #[test]
    fn declarations_tests_comments_and_other_crates_are_not_imports() {
        let found = cycles_in(&[
            (
                "src/lib.rs",
                "mod a; mod b; pub use a::A; pub use b::b; #[cfg(test)] mod tests; #[cfg(test)] use a::A as T;",
            ),
            ("src/tests.rs", "use super::*; use crate::a::A;"),
            (
                "src/a.rs",
                "/// See [`crate::b::b`].\npub struct A; // super::b::b()\n fn f(b: u8) { b.b(\"crate::b::b\") }",
            ),
            ("src/b.rs", "use crate::{a, A}; use std::a::b; pub fn b(_: A, a: a::A) {} mod tests { use super::b; }"),
            ("tests/other.rs", "mod kit; use kit::kit;"),
            ("tests/kit.rs", "use forklore::A; pub fn kit(_: A) {}"),
        ]);
        assert_eq!(found, [""; 0]);
    }
}
