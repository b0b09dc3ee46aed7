//! Which rules and effects runs have reached.

use forklore::cluster::state::{primary, worker};

macro_rules! reached {
    ($($name:ident),* $(,)?) => {
        /// Something that the fixed seeds must reach: `P1` is the primary's first rule, `W1` the worker's.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Reached { $($name),* }

        const ALL: &[Reached] = &[$(Reached::$name),*];
    };
}

#[rustfmt::skip]
reached! {
    P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13, P14, P15, P16, P17, P18, P19, P20,
    // A listener that a worker had left was closed to make room for another one (rule 18).
    LeftClosed,
    W1, W2, W3, W4, W5, W6, W7,
    Send, SendListener, HandOver, Close, Open, CloseListener, Pause, Resume, PauseReading, ResumeReading,
    FindBroken, Tell, Kill, EndChannel, CloseChannel, Forget, WakeAt,
    WorkerSend, Grant, Refuse, CloseHandle, WakeOne, WakeAll, CloseSocket, ReportSoon, Reach,
    WorkerClosesChannel, Exit,
}

impl Reached {
    pub(crate) fn of_primary(effect: &primary::Effect) -> Reached {
        match effect {
            primary::Effect::Send { .. } => Reached::Send,
            primary::Effect::SendListener { .. } => Reached::SendListener,
            primary::Effect::HandOver { .. } => Reached::HandOver,
            primary::Effect::Close { .. } => Reached::Close,
            primary::Effect::Open { .. } => Reached::Open,
            primary::Effect::CloseListener { .. } => Reached::CloseListener,
            primary::Effect::PauseAccepting { .. } => Reached::Pause,
            primary::Effect::ResumeAccepting { .. } => Reached::Resume,
            primary::Effect::PauseReading { .. } => Reached::PauseReading,
            primary::Effect::ResumeReading { .. } => Reached::ResumeReading,
            primary::Effect::FindBroken { .. } => Reached::FindBroken,
            primary::Effect::Tell(_) => Reached::Tell,
            primary::Effect::Kill { .. } => Reached::Kill,
            primary::Effect::EndChannel { .. } => Reached::EndChannel,
            primary::Effect::CloseChannel { .. } => Reached::CloseChannel,
            primary::Effect::Forget { .. } => Reached::Forget,
            primary::Effect::WakeAt(_) => Reached::WakeAt,
        }
    }

    pub(crate) fn of_worker(effect: &worker::Effect) -> Reached {
        match effect {
            worker::Effect::Send { .. } => Reached::WorkerSend,
            worker::Effect::Grant { .. } => Reached::Grant,
            worker::Effect::Refuse { .. } => Reached::Refuse,
            worker::Effect::Close { .. } => Reached::CloseHandle,
            worker::Effect::WakeOne { .. } => Reached::WakeOne,
            worker::Effect::WakeAll { .. } => Reached::WakeAll,
            worker::Effect::CloseSocket { .. } => Reached::CloseSocket,
            worker::Effect::ReportSoon => Reached::ReportSoon,
            worker::Effect::Reach(_) => Reached::Reach,
            worker::Effect::CloseChannel => Reached::WorkerClosesChannel,
            worker::Effect::Exit => Reached::Exit,
        }
    }
}

/// A set of [`Reached`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Coverage(u64);

impl Coverage {
    pub(crate) fn add(&mut self, reached: Reached) {
        self.0 |= 1 << reached as u8;
    }

    pub(crate) fn extend(&mut self, other: Coverage) {
        self.0 |= other.0;
    }

    pub(crate) fn missing(self) -> Vec<Reached> {
        ALL.iter().copied().filter(|reached| self.0 & (1 << *reached as u8) == 0).collect()
    }
}
