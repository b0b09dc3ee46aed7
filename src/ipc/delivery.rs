//! What becomes of a handle that was sent.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::NotSent;
use super::queue::Outcome;

/// A handle on its way: resolves when the peer has answered for it.
#[derive(Debug)]
#[must_use = "the handle is on its way in any case; this tells whether it has arrived"]
pub struct Delivery {
    outcome: oneshot::Receiver<Outcome>,
}

impl Delivery {
    pub(super) fn new(outcome: oneshot::Receiver<Outcome>) -> Delivery {
        Delivery { outcome }
    }
}

impl Future for Delivery {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        Pin::new(&mut self.outcome).poll(context).map(|told| told.unwrap_or_else(|_| Err(NotSent::lost())))
    }
}
