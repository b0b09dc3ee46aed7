//! Who may ask for what: the rules that a request has to pass before anything is done for it.
//!
//! A server on loopback is reached by every page that the reader's browser has open, whatever its origin. Three things make such a
//! request look like ours, and each has its rule:
//!
//! 1. **Host** is one of our own names. A page of another site can have its own name resolve to 127.0.0.1 (DNS rebinding): the browser
//!    then takes us for that site and lets the page read what we answer, but it sends the site's name.
//! 2. **Origin**, where it is sent, is us. Browsers send it with every POST, and with every request that a script makes of another
//!    origin.
//! 3. A **POST** proves that it comes from one of our pages: by Origin, or by `Sec-Fetch-Site: same-origin`, which no page can forge.

use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use hyper::{Method, StatusCode, Uri};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Rule 1.
    Host,
    /// Rule 2, or a Sec-Fetch-Site that says the same.
    Origin,
    /// Rule 3.
    Unproved,
    /// Something else than GET, HEAD and POST.
    Method,
}

impl Refusal {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
            _ => StatusCode::FORBIDDEN,
        }
    }

    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Refusal::Host => "The Host of this request is not the address that the book is served at.",
            Refusal::Origin => "This request comes from a page of another origin.",
            Refusal::Unproved => "This request does not say that it comes from a page of the book.",
            Refusal::Method => "The book answers GET, HEAD and POST.",
        }
    }
}

/// Lets a request to the server at `port` pass, or says why not.
pub(crate) fn check(method: &Method, uri: &Uri, headers: &HeaderMap, port: u16) -> Result<(), Refusal> {
    if !matches!(*method, Method::GET | Method::HEAD | Method::POST) {
        return Err(Refusal::Method);
    }
    let host = only(headers, &HOST).and_then(|host| ours(host, port)).ok_or(Refusal::Host)?;
    // The form of a request to a proxy, `GET http://example.org/`: the name in it counts (RFC 9112, 3.2.2).
    if uri.authority().is_some_and(|authority| ours(authority.as_str(), port).is_none()) {
        return Err(Refusal::Host);
    }
    let same_origin = match headers.contains_key(ORIGIN) {
        false => None,
        true => Some(only(headers, &ORIGIN).is_some_and(|origin| origin.to_lowercase() == format!("http://{host}"))),
    };
    if same_origin == Some(false) {
        return Err(Refusal::Origin);
    }
    if *method == Method::POST {
        let from_here = match headers.contains_key(SEC_FETCH_SITE) {
            false => None,
            true => Some(only(headers, &SEC_FETCH_SITE) == Some("same-origin")),
        };
        match (same_origin, from_here) {
            (_, Some(false)) => return Err(Refusal::Origin),
            (None, None) => return Err(Refusal::Unproved),
            _ => {}
        }
    }
    Ok(())
}

/// The value of a header that must not be there twice.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter().map(HeaderValue::to_str);
    match (values.next(), values.next()) {
        (Some(Ok(value)), None) => Some(value),
        _ => None,
    }
}

/// `host` in small letters, if it is one of our names.
fn ours(host: &str, port: u16) -> Option<String> {
    let host = host.to_lowercase();
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host == format!("{name}:{port}")).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: Method, uri: &str, headers: &[(&'static str, &str)]) -> Result<(), Refusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header's value"));
        }
        check(&method, &uri.parse().expect("a URI"), &map, 3000)
    }

    #[test]
    fn the_host_is_one_of_our_names_with_our_port() {
        for host in ["127.0.0.1:3000", "localhost:3000", "LocalHost:3000", "[::1]:3000"] {
            assert_eq!(asked(Method::GET, "/", &[("host", host)]), Ok(()), "{host}");
        }
        for host in
            ["127.0.0.1", "127.0.0.1:3001", "example.org:3000", "localhost.example.org:3000", "127.0.0.1:3000:3000", ""]
        {
            assert_eq!(asked(Method::GET, "/", &[("host", host)]), Err(Refusal::Host), "{host}");
        }
        assert_eq!(asked(Method::GET, "/", &[]), Err(Refusal::Host));
        let twice = [("host", "127.0.0.1:3000"), ("host", "example.org")];
        assert_eq!(asked(Method::GET, "/", &twice), Err(Refusal::Host));
        let proxied = asked(Method::GET, "http://example.org/", &[("host", "127.0.0.1:3000")]);
        assert_eq!(proxied, Err(Refusal::Host));
    }

    #[test]
    fn an_origin_is_the_same_or_not_there() {
        let with = |origin| asked(Method::GET, "/", &[("host", "127.0.0.1:3000"), ("origin", origin)]);
        assert_eq!(with("http://127.0.0.1:3000"), Ok(()));
        for other in
            ["http://example.org", "null", "http://127.0.0.1:3001", "https://127.0.0.1:3000", "http://localhost:3000"]
        {
            assert_eq!(with(other), Err(Refusal::Origin), "{other}");
        }
    }

    #[test]
    fn a_post_proves_where_it_comes_from() {
        let post = |headers: &[(&'static str, &str)]| {
            asked(Method::POST, "/run/04", &[&[("host", "localhost:3000")], headers].concat())
        };
        assert_eq!(post(&[]), Err(Refusal::Unproved));
        assert_eq!(post(&[("origin", "http://localhost:3000")]), Ok(()));
        assert_eq!(post(&[("sec-fetch-site", "same-origin")]), Ok(()));
        assert_eq!(post(&[("sec-fetch-site", "same-site")]), Err(Refusal::Origin));
        assert_eq!(
            post(&[("origin", "http://localhost:3000"), ("sec-fetch-site", "cross-site")]),
            Err(Refusal::Origin)
        );
        assert_eq!(asked(Method::DELETE, "/", &[("host", "localhost:3000")]), Err(Refusal::Method));
    }
}
