//! `store_record`, for the fuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| authsafe_fuzz::store_record(bytes));
