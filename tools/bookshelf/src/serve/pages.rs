//! The built book, in memory: what is not in it cannot be served.
//!
//! A request's path is looked up in a table and never touches the file system, so there is nothing to climb out of: `..`, an escape such
//! as `%2e` and a symbolic link are names that the table does not have.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use sha2::{Digest, Sha256};

/// The files beside the book that only a served page has; `book/theme/` holds them.
pub(super) const OWN_FILES: [&str; 2] = ["run.js", "run.css"];

/// One file, ready to be sent.
#[derive(Debug)]
pub(super) struct File {
    pub(super) bytes: Bytes,
    /// Its Content-Type.
    pub(super) kind: &'static str,
    /// Its Content-Security-Policy.
    pub(super) policy: String,
}

/// All files of one build.
#[derive(Debug)]
pub(super) struct Pages {
    /// By path, without the first slash.
    files: HashMap<String, File>,
    /// Which build this is. No two have the same, not even of two servers.
    pub(super) tag: String,
}

impl Pages {
    /// Reads the book that was built at `folder`, and puts into its pages what only served ones have: the script that runs labs and knows
    /// which build its page is of, and in a lab's chapter the number to run, if `has_lab` knows it.
    pub(super) fn load(folder: &Path, theme: &Path, tag: String, has_lab: impl Fn(&str) -> bool) -> io::Result<Pages> {
        let mut pages = Pages { files: HashMap::new(), tag };
        pages.add(folder, "", &has_lab)?;
        for name in OWN_FILES {
            let path = theme.join(name);
            let read = fs::read(&path);
            let bytes = read.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
            pages.files.insert(name.to_owned(), File { bytes: bytes.into(), kind: kind(name), policy: policy(&[]) });
        }
        Ok(pages)
    }

    fn add(&mut self, folder: &Path, prefix: &str, has_lab: &impl Fn(&str) -> bool) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = format!("{prefix}{name}");
            // Of the entry itself: a symbolic link is neither, and is left out.
            let file_type = entry.file_type()?;
            if file_type.is_dir() {
                self.add(&entry.path(), &format!("{path}/"), has_lab)?;
            } else if file_type.is_file() {
                let kind = kind(&name);
                let mut bytes = fs::read(entry.path())?;
                let mut scripts = Vec::new();
                if kind.starts_with("text/html") {
                    let page = String::from_utf8_lossy(&bytes);
                    scripts = inline_scripts(&page);
                    bytes = served(&page, &path, &self.tag, has_lab).into_bytes();
                }
                self.files.insert(path, File { bytes: bytes.into(), kind, policy: policy(&scripts) });
            }
        }
        Ok(())
    }

    /// The file that a request's path means: `/`, `/claims.html`, `/labs/`.
    pub(super) fn find(&self, path: &str) -> Option<&File> {
        let path = path.strip_prefix('/')?;
        if path.is_empty() || path.ends_with('/') {
            return self.files.get(&format!("{path}index.html"));
        }
        self.files.get(path)
    }

    /// Which steps of a lab the diagrams of its chapter show, each as the chapter says it.
    pub(super) fn diagrams(&self, chapter: &str) -> Vec<String> {
        let page = self.find(chapter).map(|file| String::from_utf8_lossy(&file.bytes)).unwrap_or_default();
        let steps = page.split("data-steps=\"").skip(1).filter_map(|rest| rest.split('"').next());
        steps.map(str::to_owned).collect()
    }

    /// The page for what is not there.
    pub(super) fn not_found(&self) -> Option<&File> {
        self.files.get("404.html")
    }
}

/// A page as it is served.
fn served(page: &str, path: &str, tag: &str, has_lab: &impl Fn(&str) -> bool) -> String {
    let Some((before, after)) = page.split_once("</head>").filter(|_| path != "print.html") else {
        return page.to_owned();
    };
    let number = path.strip_prefix("labs/").and_then(|name| name.split('-').next()).filter(|number| has_lab(number));
    let meta = number.map(|number| format!("<meta name=\"forklore-run\" content=\"{number}\">\n")).unwrap_or_default();
    let style = "<link rel=\"stylesheet\" href=\"/run.css\">\n";
    let script = format!("<script defer src=\"/run.js\" data-build=\"{tag}\"></script>\n");
    format!("{before}{meta}{style}{script}</head>{after}")
}

/// The hashes of the scripts that stand in a page itself. The policy names them, and no other one runs: none that found its way into a
/// transcript, for instance.
fn inline_scripts(page: &str) -> Vec<String> {
    let after_tags = page.split("<script>").skip(1);
    let scripts = after_tags.filter_map(|rest| rest.split_once("</script>").map(|(script, _)| script));
    scripts.map(|script| BASE64_STANDARD.encode(Sha256::digest(script.as_bytes()))).collect()
}

/// Everything comes from here. Styles may stand in a page: transcripts and diagrams say by them where things stand.
fn policy(scripts: &[String]) -> String {
    let scripts: String = scripts.iter().map(|hash| format!(" 'sha256-{hash}'")).collect();
    format!(
        "default-src 'self'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         object-src 'none'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "txt" | "md" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "ttf" => "font/ttf",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> Pages {
        let folder = tempfile::tempdir().expect("a folder");
        let (out, theme) = (folder.path().join("out"), folder.path().join("theme"));
        fs::create_dir_all(out.join("labs")).expect("a folder");
        fs::create_dir_all(&theme).expect("a folder");
        for name in OWN_FILES {
            fs::write(theme.join(name), "").expect("a file");
        }
        let page = "<html><head></head><body><script>let a = 1;</script></body></html>";
        for name in ["index.html", "labs/04-eaddrinuse.html", "labs/99-nosuch.html"] {
            fs::write(out.join(name), page).expect("a file");
        }
        fs::write(folder.path().join("secret"), "secret").expect("a file");
        std::os::unix::fs::symlink("../secret", out.join("link.txt")).expect("a link");
        Pages::load(&out, &theme, "1".into(), |number| number == "04").expect("it can be read")
    }

    #[test]
    fn nothing_outside_can_be_named() {
        let pages = pages();
        assert!(pages.find("/").is_some() && pages.find("/index.html").is_some() && pages.find("/run.js").is_some());
        for path in
            ["/../secret", "/%2e%2e/secret", "/labs/../index.html", "//index.html", "/link.txt", "/labs", "index.html"]
        {
            assert!(pages.find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn a_lab_chapter_says_what_can_be_run() {
        let pages = pages();
        let has_meta = |path| {
            let page = String::from_utf8(pages.find(path).expect("a page").bytes.to_vec()).expect("text");
            assert!(page.contains("run.js"), "{path}");
            page.contains("<meta name=\"forklore-run\" content=\"04\">")
        };
        assert_eq!(["/", "/labs/04-eaddrinuse.html", "/labs/99-nosuch.html"].map(has_meta), [false, true, false]);
    }

    #[test]
    fn the_policy_names_the_scripts_of_the_page() {
        let policy = &pages().files["index.html"].policy;
        assert!(policy.contains("script-src 'self' 'sha256-"), "{policy}");
        assert!(!policy.contains("script-src 'self' 'unsafe-inline'"), "{policy}");
    }
}
