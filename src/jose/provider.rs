//! `jsonwebtoken` as the second reader of a token: the algorithm, the key's name, the type, the issuer and the subject that it reads
//! must be those that were read here. Its only user.
//!
//! Its signatures are synchronous and WebCrypto's are not, so it computes none. The key that it is handed is no key but a
//! receipt of what was verified before, and the verifier of `PROVIDER` accepts nothing but the bytes and the signature of
//! that receipt. Three things are not left to it (as of 11.1):
//!
//! - Its provider is one for the whole process and can be set once. A library that set it would take it from an application
//!   that uses `jsonwebtoken` for itself, so only [`install`] does, which the module that has the process for itself calls.
//!   Where it was not called, the token is read without a verifier. That costs nothing: `verify::accept` has compared the
//!   same bytes already, in either case.
//! - It has no ES512, and does not know Ed25519 by its newer name. Such a token has one reader only.
//! - It looks at the device's clock, takes the last of two members of one name, and reads keys leniently. Claims, form and keys
//!   are judged here.

use super::algs::{Algorithm, ED25519};
use crate::types::Json;
use jsonwebtoken::crypto::{self, CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::dangerous::insecure_decode;
use jsonwebtoken::errors::{ErrorKind, new_error};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm as Theirs, AlgorithmFamily, DecodingKey, Extras, TokenData};
use std::sync::OnceLock;

/// Makes `PROVIDER` that of the process; whether it is. For a process in which nobody else uses `jsonwebtoken`, such as a
/// WebAssembly module: whoever else did could sign and verify nothing from then on.
pub fn install() -> bool {
    *INSTALLED.get_or_init(|| PROVIDER.install_default().is_ok())
}

static INSTALLED: OnceLock<bool> = OnceLock::new();

/// Signs nothing, and verifies nothing that is not a receipt.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(new_error(ErrorKind::UnsupportedAlgorithm)),
    verifier_factory: |algorithm, key| {
        Ok(Box::new(Receipt { algorithm: *algorithm, bytes: key.try_get_as_bytes()?.to_vec() }))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// Whether `jsonwebtoken` reads the same from the token.
pub(super) fn reads_alike(algorithm: Algorithm, token: &str, header: &Json, claims: &Json) -> bool {
    let Some(theirs) = named(algorithm).filter(|_| header.get("alg").and_then(Json::text) != Some(ED25519)) else {
        return true;
    };
    // Not by its `decode`, which does the same and then judges claims, whose code would be a tenth of the module.
    insecure_decode(token).is_ok_and(|read| same(&read, theirs, header, claims))
}

/// Whether `jsonwebtoken` takes the token for signed, where it has been given our verifier: by the receipt for what was verified.
pub(super) fn takes(algorithm: Algorithm, token: &str, (signed, signature): (&[u8], &[u8])) -> bool {
    let (Some(theirs), Some(true)) = (named(algorithm), INSTALLED.get()) else { return true };
    token.rsplit_once('.').is_some_and(|(input, shown)| {
        let receipt = receipt(theirs, signed, signature);
        crypto::verify(shown, input.as_bytes(), &receipt, theirs).is_ok_and(|right| right)
    })
}

/// What follows from the header, and who it is about.
fn same(read: &TokenData<Extras>, algorithm: Theirs, header: &Json, claims: &Json) -> bool {
    let claim = |name: &str| {
        read.claims.inner().get(name).and_then(|value| value.as_str()) == claims.get(name).and_then(Json::text)
    };
    read.header.alg == algorithm
        && read.header.kid.as_deref() == header.get("kid").and_then(Json::text)
        && read.header.typ.as_deref() == header.get("typ").and_then(Json::text)
        && claim("iss")
        && claim("sub")
}

/// The receipt in the shape of a key.
fn receipt(algorithm: Theirs, signed: &[u8], signature: &[u8]) -> DecodingKey {
    let bytes = joined(signed, signature);
    match algorithm.family() {
        AlgorithmFamily::Ec => DecodingKey::from_ec_der(&bytes),
        AlgorithmFamily::Ed => DecodingKey::from_ed_der(&bytes),
        AlgorithmFamily::Rsa => DecodingKey::from_rsa_der(&bytes),
        AlgorithmFamily::Hmac => DecodingKey::from_secret(&bytes),
    }
}

struct Receipt {
    algorithm: Theirs,
    bytes: Vec<u8>,
}

impl Verifier<Vec<u8>> for Receipt {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        if joined(message, signature) == self.bytes { Ok(()) } else { Err(signature::Error::new()) }
    }
}

impl JwtVerifier for Receipt {
    fn algorithm(&self) -> Theirs {
        self.algorithm
    }
}

/// With the length of the first, so that nothing can move from one to the other.
fn joined(message: &[u8], signature: &[u8]) -> Vec<u8> {
    [&message.len().to_be_bytes()[..], message, signature].concat()
}

/// `None` where it has none.
fn named(algorithm: Algorithm) -> Option<Theirs> {
    Some(match algorithm {
        Algorithm::EdDsa => Theirs::EdDSA,
        Algorithm::Es256 => Theirs::ES256,
        Algorithm::Es384 => Theirs::ES384,
        Algorithm::Es512 => return None,
        Algorithm::Ps256 => Theirs::PS256,
        Algorithm::Ps384 => Theirs::PS384,
        Algorithm::Ps512 => Theirs::PS512,
        Algorithm::Rs256 => Theirs::RS256,
        Algorithm::Rs384 => Theirs::RS384,
        Algorithm::Rs512 => Theirs::RS512,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::testing::{compact, encode};

    const HEADER: &str = r#"{"alg":"ES256","kid":"1","typ":"JWT"}"#;
    const CLAIMS: &str = r#"{"iss":"https://as.example","sub":"user-1"}"#;

    /// By the provider itself, whoever has set that of the process.
    fn verifies(algorithm: Theirs, receipt: &DecodingKey, message: &[u8], signature: &[u8]) -> bool {
        let verifier = (PROVIDER.verifier_factory)(&algorithm, receipt).unwrap();
        assert_eq!(verifier.algorithm(), algorithm);
        verifier.verify(message, &signature.to_vec()).is_ok()
    }

    #[test]
    fn the_verifier_accepts_the_bytes_and_the_signature_of_its_receipt_and_no_others() {
        for algorithm in [Theirs::ES256, Theirs::EdDSA, Theirs::RS256, Theirs::PS512] {
            let receipt = receipt(algorithm, b"a.b", b"sig");
            assert_eq!(receipt.family(), algorithm.family());
            assert!(verifies(algorithm, &receipt, b"a.b", b"sig"));
            for (message, signature) in [
                (&b"a.c"[..], &b"sig"[..]),
                (b"a.b", b"sih"),
                (b"a.bs", b"ig"),
                (b"a.", b"bsig"),
                (b"a.b", b""),
                (b"", b"a.bsig"),
                (b"", b""),
            ] {
                assert!(!verifies(algorithm, &receipt, message, signature), "{message:?} {signature:?}");
            }
        }
    }

    #[test]
    fn a_key_is_no_receipt_and_nothing_is_signed() {
        let key = DecodingKey::from_ed_components("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert!(!verifies(Theirs::EdDSA, &key, b"a.b", b"sig"));
        let rsa = DecodingKey::from_rsa_raw_components(&[0xff; 256], &[1, 0, 1]);
        assert!((PROVIDER.verifier_factory)(&Theirs::RS256, &rsa).is_err());
        let secret = jsonwebtoken::EncodingKey::from_secret(b"secret");
        assert!((PROVIDER.signer_factory)(&Theirs::HS256, &secret).is_err());
    }

    #[test]
    fn both_readers_must_read_the_same() {
        let token = compact(HEADER, CLAIMS);
        let json = |text: &str| Json::parse(text).unwrap();
        let verdict = |header: &str, claims: &str| reads_alike(Algorithm::Es256, &token, &json(header), &json(claims));
        assert!(verdict(HEADER, CLAIMS));
        for (header, claims) in [
            (r#"{"kid":"2","typ":"JWT"}"#, CLAIMS),
            (r#"{"typ":"JWT"}"#, CLAIMS),
            (r#"{"kid":"1","typ":"at+jwt"}"#, CLAIMS),
            (HEADER, r#"{"iss":"https://as.example","sub":"user-2"}"#),
            (HEADER, r#"{"iss":"https://evil.example","sub":"user-1"}"#),
            (HEADER, r#"{"iss":"https://as.example"}"#),
        ] {
            assert!(!verdict(header, claims), "{header} {claims}");
        }
    }

    #[test]
    fn where_it_is_the_provider_of_the_process_the_receipt_is_looked_at_and_nothing_else_is() {
        assert!(install());
        // Without `exp`, and for an audience that it was not told.
        let token = compact(HEADER, r#"{"iss":"https://as.example","sub":"user-1","aud":"app"}"#);
        let signed = token.rsplit_once('.').unwrap().0.as_bytes();
        let verdict = |seen: (&[u8], &[u8])| takes(Algorithm::Es256, &token, seen);
        assert!(verdict((signed, b"signature")));
        assert!(!verdict((signed, b"another")));
        assert!(!verdict((b"another", b"signature")));
    }

    #[test]
    fn what_the_second_reader_does_not_read_or_reads_under_another_algorithm_is_refused() {
        let empty = Json::Object(Vec::new());
        for token in [
            "a.b.c".to_owned(),
            [&encode(HEADER), ".", &encode("[]"), ".c2ln"].concat(),
            compact(r#"{"alg":"RS256"}"#, "{}"),
            compact(r#"{"alg":"ES256","jwk":"x"}"#, "{}"),
        ] {
            assert!(!reads_alike(Algorithm::Es256, &token, &empty, &empty), "{token}");
        }
    }

    #[test]
    fn es512_has_one_reader_only() {
        let without: Vec<_> = Algorithm::ALL.iter().filter(|each| named(**each).is_none()).collect();
        assert_eq!(without, [&Algorithm::Es512]);
        for each in Algorithm::ALL {
            if let Some(theirs) = named(*each) {
                assert_eq!(theirs, each.as_str().parse().unwrap());
            }
        }
    }
}
