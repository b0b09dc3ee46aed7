//! Who is refused, and what.

use super::served::ask;
use super::served::shelf::Shelf;

pub(crate) fn wrong_host(shelf: &Shelf) {
    let served = shelf.serve(&[]);
    for host in ["example.org", "127.0.0.1", "127.0.0.1:1", &format!("example.org:{}", served.port)] {
        let refused = ask(served.port, "GET", "/", &[("Host", host)]);
        assert_eq!(refused.status, 403, "{host}");
        assert!(!refused.text().contains("<html"), "{host}");
        let origin = format!("http://{host}");
        let refused =
            ask(served.port, "POST", "/run/90", &[("Host", host), ("Origin", &origin), ("Content-Length", "0")]);
        assert_eq!(refused.status, 403, "{host}");
    }
    assert_eq!(ask(served.port, "GET", "/", &[]).status, 403, "no Host at all");
    let proxied = ask(served.port, "GET", "http://example.org/", &[("Host", &served.host())]);
    assert_eq!(proxied.status, 403);
    let localhost = format!("localhost:{}", served.port);
    assert_eq!(ask(served.port, "GET", "/", &[("Host", &localhost)]).status, 200);
    served.stop();
}

pub(crate) fn other_origin(shelf: &Shelf) {
    let served = shelf.serve(&[]);
    let host = served.host();
    for origin in ["http://example.org", "null", "http://127.0.0.1:1", &format!("https://{host}")] {
        for (method, target) in [("POST", "/run/90"), ("POST", "/run/cancel"), ("GET", "/"), ("GET", "/changes")] {
            let refused =
                ask(served.port, method, target, &[("Host", &host), ("Origin", origin), ("Content-Length", "0")]);
            assert_eq!(refused.status, 403, "{origin} {method} {target}");
        }
    }
    let unproved = ask(served.port, "POST", "/run/90", &[("Host", &host), ("Content-Length", "0")]);
    assert_eq!(unproved.status, 403, "a POST says where it comes from");
    let cross = [("Host", host.as_str()), ("Sec-Fetch-Site", "cross-site"), ("Content-Length", "0")];
    assert_eq!(ask(served.port, "POST", "/run/90", &cross).status, 403);
    served.stop();
}

pub(crate) fn outside(shelf: &Shelf) {
    let served = shelf.serve(&[]);
    for target in [
        "/../Cargo.toml",
        "/labs/../../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..%2fCargo.toml",
        "/labs/..%5c..%5cCargo.toml",
        "/./index.html",
        "//index.html",
        "/etc/passwd",
        "//etc/passwd",
        "/index.html%00.css",
        "/book.toml",
        "/labs",
    ] {
        let refused = served.get(target);
        assert_eq!(refused.status, 404, "{target}");
        let text = refused.text();
        assert!(!text.contains("[workspace]") && !text.contains("root:"), "{target}: {text}");
    }
    served.stop();
}

pub(crate) fn only_labs(shelf: &Shelf) {
    let served = shelf.serve(&[]);
    for number in ["89", "9", "090", "90-quick", "..", "%39%30", "90/", "ls", ""] {
        assert_eq!(served.post(&format!("/run/{number}")).status, 404, "{number}");
    }
    assert_eq!(served.post("/run/90?argument").status, 400);
    let host = served.host();
    let origin = format!("http://{host}");
    let with_body = [("Host", host.as_str()), ("Origin", &origin), ("Content-Length", "4")];
    assert_eq!(ask(served.port, "POST", "/run/90", &with_body).status, 400);
    let read = served.get("/run/90");
    assert_eq!((read.status, read.header("allow")), (405, "POST"));
    assert_eq!(served.post("/index.html").status, 405);
    assert_eq!(ask(served.port, "DELETE", "/", &[("Host", &host)]).status, 405);
    served.stop();
}
