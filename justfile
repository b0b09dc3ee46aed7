# Thin lines over the commands: everything here works without just, too.
set positional-arguments

[private]
default:
    @just --list --unsorted

# List the labs, or run one: just lab 01
[group('learn')]
lab *args:
    @cargo lab "$@"

# Run a lab's original in Node
[group('learn')]
node lab *args:
    @lab=$1; shift; cargo lab "$lab" --node "$@"

# Run a lab and its Node original, and compare their facts
[group('learn')]
compare lab *args:
    @lab=$1; shift; cargo lab "$lab" --compare "$@"

# Run a lab with its system calls explained
[group('learn')]
trace lab *args:
    @lab=$1; shift; cargo lab "$lab" --trace "$@"

# Read the book in a browser; just book build: only build it
[group('learn')]
book *args:
    @cargo book "$@"

# Measure what things cost: all of it, or one group: just bench fork
[group('measure')]
bench *args:
    @cargo run --release --package forklore-benches --bin bench -- "$@"

# Make tables and charts of what was measured
[group('measure')]
bench-report *args:
    @cargo run --release --package forklore-benches --bin report -- "$@"

# Run every test
[group('work on it')]
test *args:
    cargo test "$@"

# Record what the labs print now: what they are expected to print, and what the book shows of them
[group('work on it')]
overwrite:
    SNAPSHOTS=overwrite cargo test --test labs --test tidy
    cargo lab --record

# Format the code
[group('work on it')]
fmt:
    cargo fmt --all

# Look for mistakes, with warnings as errors
[group('work on it')]
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# What a change must pass
[group('work on it')]
ci:
    bash .ci/run
