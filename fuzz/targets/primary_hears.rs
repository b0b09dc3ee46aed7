#![no_main]

#[path = "../bodies/primary_hears.rs"]
mod primary_hears;

libfuzzer_sys::fuzz_target!(|input: &[u8]| primary_hears::check(input));
