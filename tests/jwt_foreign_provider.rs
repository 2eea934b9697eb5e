//! An application that uses `jsonwebtoken` for itself keeps it: authsafe takes nothing from it, and verifies all the same.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use authsafe::jose::algs::Allowed;
use authsafe::jose::error::JwtError;
use authsafe::jose::jwks::JwkSet;
use authsafe::jose::verify::{accept, prepare};
use authsafe::jose::{native, provider};
use jsonwebtoken::crypto::{CryptoProvider, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, new_error};

/// RFC 7515 appendix A.3.
const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

/// Accepts nothing, so that it would be noticed if authsafe asked it.
static THEIRS: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(new_error(ErrorKind::UnsupportedAlgorithm)),
    verifier_factory: |_, _| Err(new_error(ErrorKind::UnsupportedAlgorithm)),
    key_utils: KeyUtils::new_unimplemented(),
};

#[test]
fn the_application_keeps_its_provider_and_tokens_are_verified_without_it() {
    assert!(THEIRS.install_default().is_ok());
    let verify = |token: &str| {
        let prepared = prepare(token, &JwkSet::parse(KEYS.as_bytes()).unwrap(), Allowed::default())?;
        let seen = native::verify(&prepared)?;
        accept(prepared, &seen)
    };
    assert!(verify(TOKEN).is_ok());
    assert!(!provider::install());
    assert!(verify(TOKEN).is_ok());
    assert_eq!(verify(&TOKEN.replace("Kg6NU1Q", "Kg6NU1A")).unwrap_err(), JwtError::SignatureInvalid);
}
