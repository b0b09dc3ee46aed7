//! A recorded `cargo lab NN --trace`, line by line.

/// A line of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Traced<'a> {
    /// A step begins.
    Step { number: u32, line: &'a str },
    /// A system call or a signal: who, and what.
    Call { voice: &'a str, call: &'a str },
    /// What the call above it means.
    Meaning(&'a str),
    /// What a process says.
    Said(&'a str),
    /// A fact, or the line above the facts.
    Fact(&'a str),
    /// Nothing.
    Empty,
}

/// The lines of a trace.
pub(crate) fn lines(trace: &str) -> Vec<Traced<'_>> {
    let mut in_facts = false;
    let line = |line| {
        in_facts |= line == "Facts";
        match line {
            "" => Traced::Empty,
            _ if in_facts => Traced::Fact(line),
            _ => read(line),
        }
    };
    trace.lines().map(line).collect()
}

/// The lines of one step.
pub(crate) fn step<'l, 'a>(lines: &'l [Traced<'a>], wanted: u32) -> &'l [Traced<'a>] {
    let begins = |line: &Traced<'_>| matches!(line, Traced::Step { number, .. } if *number == wanted);
    let Some(start) = lines.iter().position(begins) else { return &[] };
    let ends = |line: &Traced<'_>| matches!(line, Traced::Step { .. } | Traced::Fact(_));
    let length = lines[start + 1..].iter().position(ends).unwrap_or(lines.len() - start - 1);
    let mut found = &lines[start..=start + length];
    while let [rest @ .., Traced::Empty] = found {
        found = rest;
    }
    found
}

fn read(line: &str) -> Traced<'_> {
    if let Some((number, _)) = line.split_once(". ")
        && let Ok(number) = number.parse()
    {
        return Traced::Step { number, line };
    }
    if let Some((voice, call)) = line.strip_prefix("     [").and_then(|rest| rest.split_once("] ")) {
        return Traced::Call { voice, call };
    }
    match line.strip_prefix("         ") {
        Some(meaning) => Traced::Meaning(meaning),
        None => Traced::Said(line.trim_start()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "     [parent] execve(\"…/lab\") = 0\n         from here on\n1. First\n   parent  says\n\n2. Second\n     [child] exits\n\nFacts\n   a: b\n";

    #[test]
    fn a_trace_comes_apart() {
        let all = lines(TRACE);
        assert_eq!(all[0], Traced::Call { voice: "parent", call: "execve(\"…/lab\") = 0" });
        assert_eq!((&all[1], &all[3]), (&Traced::Meaning("from here on"), &Traced::Said("parent  says")));
        assert_eq!(step(&all, 1), &all[2..4]);
        assert_eq!(
            step(&all, 2),
            [Traced::Step { number: 2, line: "2. Second" }, Traced::Call { voice: "child", call: "exits" }]
        );
        assert_eq!(step(&all, 3), []);
    }
}
