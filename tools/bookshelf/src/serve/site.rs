//! From a request to its answer.
//!
//! | request | answer |
//! |---|---|
//! | `GET /labs/04-eaddrinuse.html` | a file of the built book |
//! | `GET /changes` | an event stream: which build this is, and again whenever there is a new one |
//! | `POST /run/04` | runs lab 04; lines of JSON (`word.rs`) |
//! | `POST /run/cancel` | ends the run that is on |

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::{mpsc, watch};

use super::body::Answer;
use super::guard;
use super::pages::{File, Pages};
use super::runs::{Busy, Runs};

/// What is sent along with every answer.
const ALWAYS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    // Keep it, but ask each time: a rebuilt page is a new one.
    (header::CACHE_CONTROL, "no-cache"),
];

/// What answers are made from.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) port: u16,
    pub(super) pages: watch::Receiver<Arc<Pages>>,
    pub(super) runs: Arc<Runs>,
}

impl Site {
    pub(super) async fn answer(self: Arc<Site>, request: Request<Incoming>) -> Result<Response<Answer>, Infallible> {
        let mut response = self.respond(&request).await;
        for (name, value) in ALWAYS {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        if request.method() == Method::HEAD {
            *response.body_mut() = Answer::Whole(Bytes::new());
        }
        Ok(response)
    }

    async fn respond(&self, request: &Request<Incoming>) -> Response<Answer> {
        let (method, uri) = (request.method(), request.uri());
        if let Err(refusal) = guard::check(method, uri, request.headers(), self.port) {
            return sentence(refusal.status(), refusal.sentence());
        }
        let path = uri.path();
        match (method == Method::POST, path) {
            (true, _) if uri.query().is_some() || !request.body().is_end_stream() => {
                sentence(StatusCode::BAD_REQUEST, "A run takes nothing but the number of its lab.")
            }
            (true, "/run/cancel") => {
                self.runs.cancel();
                status(StatusCode::NO_CONTENT)
            }
            (true, _) => match path.strip_prefix("/run/") {
                Some(number) => self.run(number).await,
                None => allow("GET, HEAD"),
            },
            (false, path) if path.starts_with("/run/") => allow("POST"),
            (false, "/changes") => self.changes(),
            (false, path) => self.file(path, request),
        }
    }

    async fn run(&self, number: &str) -> Response<Answer> {
        let lab = match self.runs.lab(number) {
            Ok(Some(lab)) => lab,
            Ok(None) => return sentence(StatusCode::NOT_FOUND, "There is no lab of that number."),
            Err(error) => return sentence(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        };
        let diagrams = self.pages.borrow().diagrams(&format!("/labs/{}.html", lab.name));
        match self.runs.start(lab, diagrams).await {
            Ok(pieces) => stream("application/x-ndjson", pieces),
            Err(Busy { lab }) => {
                let text = format!("Lab {lab} is running now, and one runs at a time.");
                sentence(StatusCode::CONFLICT, &text)
            }
        }
    }

    /// Says which build is served, at once and after each new one, until the page goes away.
    fn changes(&self) -> Response<Answer> {
        let (page, pieces) = mpsc::channel(1);
        let mut pages = self.pages.clone();
        tokio::spawn(async move {
            loop {
                let event = format!("data: {}\n\n", pages.borrow_and_update().tag);
                if page.send(event.into()).await.is_err() {
                    return;
                }
                tokio::select! {
                    () = page.closed() => return,
                    changed = pages.changed() => if changed.is_err() { return },
                }
            }
        });
        stream("text/event-stream", pieces)
    }

    fn file(&self, path: &str, request: &Request<Incoming>) -> Response<Answer> {
        let pages = self.pages.borrow().clone();
        let tag = format!("\"{}\"", pages.tag);
        let Some(file) = pages.find(path) else {
            return match pages.not_found() {
                Some(file) => send(StatusCode::NOT_FOUND, file),
                None => sentence(StatusCode::NOT_FOUND, "There is no such page in the book."),
            };
        };
        let known =
            request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
        let mut response = if known { status(StatusCode::NOT_MODIFIED) } else { send(StatusCode::OK, file) };
        set(&mut response, header::ETAG, &tag);
        response
    }
}

fn status(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(Bytes::new()));
    *response.status_mut() = status;
    response
}

fn set(response: &mut Response<Answer>, name: HeaderName, value: &str) {
    // All values are our own text: one that cannot be a header's is not sent.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn send(code: StatusCode, file: &File) -> Response<Answer> {
    let mut response = status(code);
    set(&mut response, header::CONTENT_TYPE, file.kind);
    set(&mut response, header::CONTENT_SECURITY_POLICY, &file.policy);
    set(&mut response, header::CONTENT_LENGTH, &file.bytes.len().to_string());
    *response.body_mut() = Answer::Whole(file.bytes.clone());
    response
}

fn sentence(code: StatusCode, text: &str) -> Response<Answer> {
    let mut response = status(code);
    set(&mut response, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    *response.body_mut() = Answer::Whole(format!("{text}\n").into());
    response
}

fn allow(methods: &str) -> Response<Answer> {
    let mut response = sentence(StatusCode::METHOD_NOT_ALLOWED, &format!("This takes {methods}."));
    set(&mut response, header::ALLOW, methods);
    response
}

fn stream(kind: &str, pieces: mpsc::Receiver<Bytes>) -> Response<Answer> {
    let mut response = status(StatusCode::OK);
    set(&mut response, header::CONTENT_TYPE, kind);
    *response.body_mut() = Answer::Pieces(pieces);
    response
}
