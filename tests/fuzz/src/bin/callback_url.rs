//! `callback_url`, for the fuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| authsafe_fuzz::callback_url(bytes));
