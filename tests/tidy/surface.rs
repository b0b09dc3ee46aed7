//! Finds types of other crates in what the library makes public.
//!
//! The lint `unreachable_pub` makes sure that what is `pub` in a file can be reached, so a file's text is enough.

use std::collections::BTreeSet;

use regex::Regex;

/// The public declarations in a file of the library that name something of `crates`.
pub(crate) fn declarations_that_name(crates: &[&str], text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let mut foreign: BTreeSet<String> = crates.iter().map(|name| (*name).to_owned()).collect();
    let import = Regex::new(&format!(r"use (?:{})::([^;]+);", crates.join("|"))).expect("a pattern");
    for import in import.captures_iter(&code) {
        foreign.extend(import[1].split(['{', '}', ',']).filter_map(name));
    }
    // A function ends at its body, a constant at its value, an enum at its closing brace; fields are one line each.
    let public = Regex::new(concat!(
        r"(?m)^ *pub enum [^{]+\{(?s:.+?)\n\}",
        r"|^ *pub (?:(?:const|async|unsafe) )*fn [^{;]+[{;]",
        r"|^ *pub (?:const|static|type|struct|trait) [^={;]+",
        r"|^ *pub \w+: .+",
        r"|^impl[^{]* for [^{]+",
    ))
    .expect("a pattern");
    let names_foreign = |declaration: &str| {
        declaration.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| foreign.contains(word))
    };
    public.find_iter(&code).map(|found| found.as_str().trim().to_owned()).filter(|found| names_foreign(found)).collect()
}

/// The name by which a file knows a leaf of a `use` declaration: `a::b::C`, `C as D`.
fn name(leaf: &str) -> Option<String> {
    let name = leaf.rsplit("::").next()?.trim();
    let name = name.rsplit(" as ").next()?.trim();
    (!name.is_empty() && name != "self").then(|| name.to_owned())
}

#[test]
fn a_foreign_type_is_found_in_each_kind_of_declaration() {
    let declared = |text: &str| declarations_that_name(&["nix", "libc"], text).len();
    let import = "use nix::{errno::Errno as Known, unistd::Pid};\n";
    assert_eq!(declared(&format!("{import}pub fn f(\n    pid: Pid,\n) -> u8 {{\n")), 1);
    assert_eq!(declared(&format!("{import}pub enum E {{\n    A(Known),\n}}\n")), 1);
    assert_eq!(declared(&format!("{import}impl From<Known> for E {{\n")), 1);
    assert_eq!(declared("pub struct S {\n    pub pid: libc::pid_t,\n}\n"), 1);
    assert_eq!(declared("pub const A: u8 = libc::A;\npub fn f() -> Errno {\n    libc::x()\n}\n"), 0);
    assert_eq!(declared(&format!("{import}pub(crate) fn f() -> Pid {{\n/// pub fn f() -> Pid {{\n")), 0);
}
