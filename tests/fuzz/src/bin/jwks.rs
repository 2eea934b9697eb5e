//! `jwks`, for the fuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| authsafe_fuzz::jwks(bytes));
