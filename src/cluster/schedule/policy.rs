//! The policies by name.

mod least_connections;
mod round_robin;
mod sticky;
mod weighted;

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use super::order::Order;

/// Which worker gets the next connection.
///
/// | policy | next is, of the workers with room | one decision among n workers |
/// |---|---|---|
/// | [`RoundRobin`](Policy::RoundRobin) | the one that was given something, or got room, longest ago | O(1) |
/// | [`Shared`](Policy::Shared) | the one that accepts first | not the primary's |
/// | [`Weighted`](Policy::Weighted) | in turn, evenly mixed; each gets its weight a round | O(log n + weights in use) |
/// | [`LeastConnections`](Policy::LeastConnections) | the least loaded; of those, the longest unserved | O(log n) |
/// | [`Sticky`](Policy::Sticky) | the client's own: consistent hashing of its address | O(1) on average |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Policy {
    /// In turn: Node's `SCHED_RR`.
    #[default]
    RoundRobin,
    /// Each worker accepts from the same socket, and the kernel decides: Node's `SCHED_NONE`.
    Shared,
    /// In turn, each worker as often as its weight says.
    Weighted,
    /// The worker with the fewest connections.
    LeastConnections,
    /// The same client to the same worker.
    Sticky,
}

impl Policy {
    /// All policies.
    pub const ALL: [Policy; 5] =
        [Policy::RoundRobin, Policy::Shared, Policy::Weighted, Policy::LeastConnections, Policy::Sticky];

    /// Creates the order in which the primary chooses; `None` if it does not choose.
    #[doc(hidden)]
    pub fn order(self) -> Option<Box<dyn Order>> {
        match self {
            Policy::RoundRobin => Some(Box::new(round_robin::RoundRobin::default())),
            Policy::Shared => None,
            Policy::Weighted => Some(Box::new(weighted::Weighted::default())),
            Policy::LeastConnections => Some(Box::new(least_connections::LeastConnections::default())),
            Policy::Sticky => Some(Box::new(sticky::Sticky::default())),
        }
    }

    /// Returns its name, such as `round-robin`.
    pub const fn name(self) -> &'static str {
        match self {
            Policy::RoundRobin => "round-robin",
            Policy::Shared => "shared",
            Policy::Weighted => "weighted",
            Policy::LeastConnections => "least-connections",
            Policy::Sticky => "sticky",
        }
    }

    /// Returns its name in Node's `NODE_CLUSTER_SCHED_POLICY`, if Node has this policy.
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

    /// Parses what `Display` writes, and Node's names `rr` and `none`.
    fn from_str(text: &str) -> Result<Policy, UnknownPolicy> {
        let known = Policy::ALL.into_iter().find(|policy| policy.name() == text || policy.node_name() == Some(text));
        known.ok_or_else(|| UnknownPolicy(text.to_owned()))
    }
}

/// A text that is not the name of a [`Policy`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPolicy(String);

impl fmt::Display for UnknownPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a policy; known are ", self.0)?;
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
        assert_eq!(error.to_string(), format!("\"random\" is not a policy; known are {names}"));
    }
}
