//! Each numbered rule, against the state machine alone.

mod connections;
mod limits;
mod lives;
mod primary;
mod worker;
