#![no_main]

#[path = "../bodies/worker_hears.rs"]
mod worker_hears;

libfuzzer_sys::fuzz_target!(|input: &[u8]| worker_hears::check(input));
