//! What a token's header says about its signature.
//!
//! RFC 7515 §4.1, RFC 8725 §3.1. `crit`, `b64`, `zip` and duplicate members are refused with the token's form, in `compact`.
//! Read are `alg` and `kid`; `jwk`, `jku`, `x5u`, `x5c` and `x5t` are not, so nothing can follow from them. `typ` belongs to
//! the rules of each kind of token, in `id_token`.

use super::algs::{Algorithm, Allowed};
use super::error::JwtError;
use crate::types::Json;

/// How the token is signed, by its own word.
pub(super) struct Header<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<&'a str>,
}

impl<'a> Header<'a> {
    /// # Errors
    /// [`JwtError::AlgorithmRefused`] for one that does not exist here or is not allowed; [`JwtError::Malformed`] for a `kid`
    /// that is no text.
    pub(super) fn read(header: &'a Json, allowed: Allowed) -> Result<Self, JwtError> {
        let text = |name, problem| header.get(name).map(|value| value.text().ok_or(problem)).transpose();
        let alg = text("alg", JwtError::Malformed("the header has no `alg`"))?.unwrap_or_default();
        let algorithm = Algorithm::parse(alg).filter(|algorithm| allowed.contains(*algorithm));
        let algorithm = algorithm.ok_or_else(|| JwtError::AlgorithmRefused { got: alg.to_owned() })?;
        Ok(Self { algorithm, kid: text("kid", JwtError::Malformed("`kid` is not a text"))? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Algorithm, Option<String>), JwtError> {
        let header = Json::parse(text).unwrap();
        Header::read(&header, Allowed::default()).map(|header| (header.algorithm, header.kid.map(str::to_owned)))
    }

    #[test]
    fn the_algorithm_and_the_name_of_the_key_are_read() {
        assert_eq!(read(r#"{"alg":"ES256"}"#), Ok((Algorithm::Es256, None)));
        assert_eq!(read(r#"{"kid":"a/../b","alg":"EdDSA"}"#), Ok((Algorithm::EdDsa, Some("a/../b".to_owned()))));
        assert_eq!(read(r#"{"kid":"","alg":"RS256"}"#), Ok((Algorithm::Rs256, Some(String::new()))));
    }

    #[test]
    fn an_algorithm_that_is_not_allowed_is_refused_by_its_name() {
        for got in ["none", "HS256", "HS512", "ES384", "RS512", "rs256", "RS256 ", "", "dir"] {
            let header = ["{\"alg\":\"", got, "\"}"].concat();
            assert_eq!(read(&header), Err(JwtError::AlgorithmRefused { got: got.to_owned() }));
        }
    }

    #[test]
    fn a_name_of_the_wrong_type_is_malformed_and_never_absent() {
        for kid in ["null", "7", "[\"1\"]", "{}", "true"] {
            let header = ["{\"alg\":\"RS256\",\"kid\":", kid, "}"].concat();
            assert_eq!(read(&header), Err(JwtError::Malformed("`kid` is not a text")), "{kid}");
        }
        assert_eq!(read("{\"alg\":7}"), Err(JwtError::Malformed("the header has no `alg`")));
    }
}
