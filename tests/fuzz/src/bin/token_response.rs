//! `token_response`, for the fuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| authsafe_fuzz::token_response(bytes));
