//! The simulation for a reader.

use forklore::cluster::schedule::Policy;
use transcript::Transcript;

use super::figures::Figures;
use super::model::Model;

pub(super) fn model(t: &Transcript, model: &Model) {
    let Model { seed, workers, requests, load } = *model;
    let (requests, workers) = (grouped(requests), grouped(workers));
    t.step(format!("Load {load}: {requests} requests for {workers} workers, seed {seed}"));
    t.say("every tenth worker is three times slower; only weighted is told so");
    t.say("a request waits with its worker; with shared, in one queue for all");
}

/// 1,000,000
fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(super) fn outcomes(t: &Transcript, outcomes: &[(Policy, Figures)], json: bool) {
    t.step("How long they waited, in mean service times");
    if json {
        facts(t, outcomes);
    } else {
        table(t, outcomes);
    }
    t.say("idle: share of the workers' time without work while a request waited");
}

fn table(t: &Transcript, outcomes: &[(Policy, Figures)]) {
    let mut rows = vec![["", "p50", "p99", "max", "idle", "requests", "busy"].map(str::to_owned)];
    for (policy, Figures { p50, p99, max, idle, requests, busy, .. }) in outcomes {
        rows.push([
            policy.to_string(),
            format!("{p50:.1}"),
            format!("{p99:.1}"),
            format!("{max:.1}"),
            format!("{:.1} %", idle * 100.0),
            format!("{}–{}", requests.0, requests.1),
            format!("{:.0}–{:.0} %", busy.0 * 100.0, busy.1 * 100.0),
        ]);
    }
    let widths: Vec<usize> =
        (0..7).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    for row in rows {
        let mut line = format!("{:<1$}", row[0], widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            line += &format!("  {cell:>width$}");
        }
        t.say(line);
    }
}

/// Every figure by itself, for a program to read.
fn facts(t: &Transcript, outcomes: &[(Policy, Figures)]) {
    for (policy, figures) in outcomes {
        let Figures { mean, p50, p99, max, idle, requests, busy } = figures;
        for (name, time) in [("mean", mean), ("p50", p50), ("p99", p99), ("max", max)] {
            t.fact(format!("{policy}, waiting time, {name}"), format!("{time:.4}"));
        }
        t.fact(format!("{policy}, idle while one waits"), format!("{idle:.6}"));
        for (name, count) in [("fewest", requests.0), ("most", requests.1)] {
            t.fact(format!("{policy}, requests a worker, {name}"), count);
        }
        for (name, share) in [("least", busy.0), ("most", busy.1)] {
            t.fact(format!("{policy}, busy worker, {name}"), format!("{share:.4}"));
        }
    }
}
