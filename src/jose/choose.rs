//! Which key a token must have been signed with.
//!
//! RFC 7515 §6, RFC 8725 §3.10; OpenID Connect Core 1.0 §10.1. Only the set that the provider publishes counts: a key that
//! comes along with a token, or an address of one (`jwk`, `jku`, `x5u`, `x5c`), says nothing about who signed it, and nothing
//! here looks at it. The order of the set never matters.

use super::algs::Algorithm;
use super::error::JwtError;
use super::jwk::Jwk;
use super::jwks::JwkSet;
use std::rc::Rc;

/// The one key of the set that fits.
///
/// A token that names a key gets a key of that name; one that names none gets the only key of its kind. Several that fit are
/// no choice, even under one name: trying them in turn would let a set with a forged key in it pass.
///
/// # Errors
/// [`JwtError::KeyMissing`] for none, [`JwtError::KeyAmbiguous`] for more than one.
pub(super) fn choose<'a>(keys: &'a JwkSet, algorithm: Algorithm, kid: Option<&str>) -> Result<&'a Rc<Jwk>, JwtError> {
    let named = |key: &&Rc<Jwk>| kid.is_none() || key.kid() == kid;
    let mut fitting = keys.keys().iter().filter(named).filter(|key| key.fits(algorithm));
    let kid = || kid.map(str::to_owned);
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(JwtError::KeyAmbiguous { kid: kid() }),
        (None, _) => Err(JwtError::KeyMissing { kid: kid() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::testing::keys::{ED25519, P256, P384, P521, RSA};
    use crate::jose::testing::{changed, key_set};

    fn missing(kid: Option<&str>) -> Result<usize, JwtError> {
        Err(JwtError::KeyMissing { kid: kid.map(str::to_owned) })
    }

    fn ambiguous(kid: Option<&str>) -> Result<usize, JwtError> {
        Err(JwtError::KeyAmbiguous { kid: kid.map(str::to_owned) })
    }

    /// Where in the set the chosen key stands. The set is looked at forwards and backwards.
    fn chosen(keys: &[String], algorithm: Algorithm, kid: Option<&str>) -> Result<usize, JwtError> {
        let set = key_set(keys);
        let place = |key: &Rc<Jwk>| set.keys().iter().position(|each| each == key).unwrap();
        let forwards = choose(&set, algorithm, kid).map(place);
        let reversed: Vec<_> = keys.iter().rev().cloned().collect();
        assert_eq!(choose(&key_set(&reversed), algorithm, kid).map(place), forwards, "the order of the set matters");
        forwards
    }

    fn named(key: &str, kid: &str) -> String {
        changed(key, &[("kid", &["\"", kid, "\""].concat())])
    }

    #[test]
    fn a_token_that_names_a_key_gets_the_key_of_that_name() {
        let keys = [named(ED25519, "a"), named(P256, "b"), named(P256, "c"), P256.to_owned()];
        for (kid, verdict) in [
            (Some("b"), Ok(1)),
            (Some("c"), Ok(2)),
            (Some("a"), missing(Some("a"))),
            (Some("d"), missing(Some("d"))),
            (Some("B"), missing(Some("B"))),
            (Some(""), missing(Some(""))),
            (Some("../b"), missing(Some("../b"))),
            (Some("b' OR '1'='1"), missing(Some("b' OR '1'='1"))),
        ] {
            assert_eq!(chosen(&keys, Algorithm::Es256, kid), verdict, "{kid:?}");
        }
    }

    #[test]
    fn a_token_without_a_name_gets_the_only_key_of_its_kind() {
        let keys =
            [(RSA, "a"), (P256, "b"), (P384, "c"), (P521, "d"), (ED25519, "e")].map(|(key, kid)| named(key, kid));
        for (algorithm, place) in [
            (Algorithm::Rs256, 0),
            (Algorithm::Ps512, 0),
            (Algorithm::Es256, 1),
            (Algorithm::Es384, 2),
            (Algorithm::Es512, 3),
            (Algorithm::EdDsa, 4),
        ] {
            assert_eq!(chosen(&keys, algorithm, None), Ok(place), "{algorithm:?}");
        }
        assert_eq!(chosen(&[named(P256, "a"), named(P256, "b")], Algorithm::Es256, None), ambiguous(None));
        assert_eq!(chosen(&[RSA.to_owned()], Algorithm::Es256, None), missing(None));
        assert_eq!(chosen(&[], Algorithm::Es256, None), missing(None));
    }

    #[test]
    fn one_name_for_two_keys_is_a_choice_only_if_one_of_them_fits() {
        let keys = [named(RSA, "1"), named(P256, "1")];
        assert_eq!(chosen(&keys, Algorithm::Es256, Some("1")), Ok(1));
        assert_eq!(chosen(&keys, Algorithm::Ps256, Some("1")), Ok(0));
        let twice = [named(P256, "1"), changed(&named(P256, "1"), &[("use", "\"sig\"")])];
        assert_eq!(chosen(&twice, Algorithm::Es256, Some("1")), ambiguous(Some("1")));
    }

    #[test]
    fn a_key_that_says_what_it_is_for_is_used_for_nothing_else() {
        for (member, value, verdict) in [
            ("use", "\"sig\"", Ok(0)),
            ("use", "\"enc\"", missing(None)),
            ("use", "\"\"", missing(None)),
            ("key_ops", "[\"verify\"]", Ok(0)),
            ("key_ops", "[\"sign\",\"verify\"]", Ok(0)),
            ("key_ops", "[\"sign\"]", missing(None)),
            ("key_ops", "[]", missing(None)),
            ("alg", "\"RS256\"", Ok(0)),
            ("alg", "\"RS512\"", missing(None)),
            ("alg", "\"PS256\"", missing(None)),
            ("alg", "\"HS256\"", missing(None)),
            ("alg", "\"rs256\"", missing(None)),
        ] {
            assert_eq!(
                chosen(&[changed(RSA, &[(member, value)])], Algorithm::Rs256, None),
                verdict,
                "{member} {value}"
            );
        }
    }
}
