//! What `wrk --latency` writes.

/// What it has measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// How many were answered.
    pub requests: u64,
    /// How many a second.
    pub rate: f64,
    /// 50, 75, 90 and 99 %, in microseconds.
    pub latency: [f64; 4],
    /// Its line of errors, if there were any.
    socket_errors: Option<String>,
    other_statuses: Option<String>,
}

impl Measured {
    /// What it has written; `None` when that is not understood.
    pub fn read(output: &str) -> Option<Measured> {
        let lines = || output.lines().map(str::trim);
        let after = |name: &str| lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let percentile = |name: &str| after(name).and_then(microseconds);
        Some(Measured {
            requests: lines().find_map(|line| line.split_once(" requests in ")?.0.parse().ok())?,
            rate: after("Requests/sec:")?.parse().ok()?,
            latency: [percentile("50%")?, percentile("75%")?, percentile("90%")?, percentile("99%")?],
            socket_errors: after("Socket errors:").map(str::to_owned),
            other_statuses: after("Non-2xx or 3xx responses:").map(str::to_owned),
        })
    }

    /// What makes it no measurement, if anything.
    pub fn wrong(&self) -> Option<String> {
        let wrong = self.socket_errors.as_ref().map(|errors| format!("socket errors: {errors}"));
        let wrong = wrong.or_else(|| self.other_statuses.as_ref().map(|count| format!("{count} answers not 2xx")));
        wrong.or_else(|| (self.requests == 0).then(|| "no answer at all".to_owned()))
    }
}

/// `606.00us`, `1.16ms`, `2.01s`
fn microseconds(text: &str) -> Option<f64> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let number: f64 = text[..unit].parse().ok()?;
    let scale = match &text[unit..] {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "m" => 6e7,
        _ => return None,
    };
    Some(number * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As version 4.1.0 writes it.
    const GOOD: &str = "\
Running 1s test @ http://127.0.0.1:40001/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   606.81us  348.02us   9.11ms   92.65%
    Req/Sec   108.26k     5.60k  116.24k    80.00%
  Latency Distribution
     50%  559.00us
     75%    1.16ms
     90%    0.86s
     99%    1.05m
  107671 requests in 1.00s, 13.35MB read
Requests/sec: 107579.86
Transfer/sec:     13.34MB
";

    #[test]
    fn what_it_writes_is_understood() {
        let measured = Measured::read(GOOD).expect("understood");
        assert_eq!((measured.requests, measured.rate), (107_671, 107_579.86));
        assert_eq!(measured.latency, [559.0, 1160.0, 860_000.0, 63_000_000.0]);
        assert_eq!(measured.wrong(), None);
    }

    #[test]
    fn errors_of_the_clients_are_no_measurement() {
        let wrong = |line: &str| Measured::read(&format!("{GOOD}{line}")).and_then(|measured| measured.wrong());
        let sockets = "  Socket errors: connect 64, read 0, write 0, timeout 0\n";
        assert_eq!(wrong(sockets).as_deref(), Some("socket errors: connect 64, read 0, write 0, timeout 0"));
        assert_eq!(wrong("  Non-2xx or 3xx responses: 12\n").as_deref(), Some("12 answers not 2xx"));
        let silent = GOOD.replace("107671 requests in", "0 requests in");
        assert_eq!(Measured::read(&silent).and_then(|measured| measured.wrong()).as_deref(), Some("no answer at all"));
    }

    #[test]
    fn anything_else_is_not_understood() {
        assert_eq!(Measured::read("unable to connect to 127.0.0.1:1 Connection refused"), None);
        assert_eq!(Measured::read(&GOOD.replace("559.00us", "559.00h")), None);
    }
}
