//! The five policies by name.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// Which worker gets what comes next. What each of them promises stands in the [table](super).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Policy {
    /// In turn: Node's `SCHED_RR`.
    #[default]
    RoundRobin,
    /// Whoever became idle last: a model of what becomes of Node's `SCHED_NONE`.
    Shared,
    /// In turn, each as often as its weight says.
    Weighted,
    /// Whoever has the fewest.
    LeastConnections,
    /// The same client to the same worker.
    Sticky,
}

impl Policy {
    /// All of them.
    pub const ALL: [Policy; 5] =
        [Policy::RoundRobin, Policy::Shared, Policy::Weighted, Policy::LeastConnections, Policy::Sticky];

    /// Its name, such as `round-robin`.
    pub const fn name(self) -> &'static str {
        match self {
            Policy::RoundRobin => "round-robin",
            Policy::Shared => "shared",
            Policy::Weighted => "weighted",
            Policy::LeastConnections => "least-connections",
            Policy::Sticky => "sticky",
        }
    }

    /// What Node calls it in `NODE_CLUSTER_SCHED_POLICY`, where it has it.
    const fn node_name(self) -> Option<&'static str> {
        match self {
            Policy::RoundRobin => Some("rr"),
            Policy::Shared => Some("none"),
            _ => None,
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Policy {
    type Err = UnknownPolicy;

    /// The inverse of `Display`; Node's names `rr` and `none` are understood, too.
    fn from_str(text: &str) -> Result<Policy, UnknownPolicy> {
        let known = Policy::ALL.into_iter().find(|policy| policy.name() == text || policy.node_name() == Some(text));
        known.ok_or_else(|| UnknownPolicy(text.to_owned()))
    }
}

/// A text that names no [`Policy`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPolicy(String);

impl fmt::Display for UnknownPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no policy; known are ", self.0)?;
        for (index, policy) in Policy::ALL.into_iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{policy}")?;
            if let Some(name) = policy.node_name() {
                write!(f, " ({name})")?;
            }
        }
        Ok(())
    }
}

impl Error for UnknownPolicy {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_understood_and_an_unknown_one_lists_them() {
        for policy in Policy::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        assert_eq!("rr".parse(), Ok(Policy::RoundRobin));
        assert_eq!("none".parse(), Ok(Policy::Shared));
        let error = "random".parse::<Policy>().expect_err("unknown");
        let names = "round-robin (rr), shared (none), weighted, least-connections, sticky";
        assert_eq!(error.to_string(), format!("\"random\" is no policy; known are {names}"));
    }
}
