//! `userinfo`, for the fuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| authsafe_fuzz::userinfo(bytes));
