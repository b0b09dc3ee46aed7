//! What a run that fails has broken.

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The sentence that is not true.
    pub(crate) invariant: &'static str,
    pub(crate) detail: String,
}

pub(crate) type Checked = Result<(), Broken>;

/// Fails with the invariant and its detail unless it holds.
#[inline]
pub(crate) fn require(holds: bool, invariant: &'static str, detail: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Broken { invariant, detail: detail() }) }
}
