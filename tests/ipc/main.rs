//! A channel whose other end is a bare socket.

mod child;
mod crowd;
mod endings;
mod handles;
mod order;
mod peer;
mod typed;
mod wire;
