//! Randomness. Web Cryptography API §10.1.1, `crypto.getRandomValues`.

use super::reflect;
use crate::ports::EntropyFailure;
use wasm_bindgen::JsCast;
use web_sys::Crypto;

/// Fills `bytes` from the browser's generator. There is no fallback: a guessable `state` or verifier protects nothing.
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), EntropyFailure> {
    // Not cast by `instanceof`: test environments put an object of their own there.
    let crypto: Crypto = reflect::global("crypto").ok_or(EntropyFailure)?.unchecked_into();
    for part in bytes.chunks_mut(QUOTA) {
        crypto.get_random_values_with_u8_array(part).map_err(|_| EntropyFailure)?;
    }
    // A stub that returns without filling leaves zeros. A real generator does so once in 2¹²⁸ calls.
    let untouched = bytes.len() >= 16 && bytes.iter().all(|byte| *byte == 0);
    if untouched { Err(EntropyFailure) } else { Ok(()) }
}

/// The most that one call may ask for.
const QUOTA: usize = 65_536;
