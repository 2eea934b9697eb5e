//! One public key, read strictly.
//!
//! RFC 7517 §4, RFC 7518 §6.2 and §6.3, RFC 8037 §2; RFC 7638 (thumbprints). What is imported later is written anew from
//! what was read, so that no member that nobody looked at goes along. A key that is private or shared in part is not used at
//! all: whoever published it has lost it.

use super::algs::{Algorithm, Curve, Scheme};
use super::base64url::{decode, encode};
use crate::types::{Json, Members};
use sha2::{Digest, Sha256};

/// A public key that a token may be signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    kid: Option<String>,
    alg: Option<String>,
    /// Whether `use` and `key_ops` allow it to verify.
    verifies: bool,
    material: Material,
}

/// The numbers that make up a key, as many bytes as they need or their curve prescribes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// `kty` EC.
    Ec {
        /// `crv`
        curve: Curve,
        /// Exactly as long as the curve's coordinates.
        x: Vec<u8>,
        /// Exactly as long as the curve's coordinates.
        y: Vec<u8>,
    },
    /// `kty` OKP and `crv` Ed25519.
    Ed25519 {
        /// 32 bytes.
        x: Vec<u8>,
    },
    /// `kty` RSA.
    Rsa {
        /// The modulus: odd, from 2048 to 8192 bits.
        n: Vec<u8>,
        /// The exponent: odd, from 3 to 2³² − 1.
        e: Vec<u8>,
    },
}

impl Jwk {
    /// Reads a key; `None` for one that cannot be used here, whatever the reason.
    #[must_use]
    pub fn read(jwk: &Json) -> Option<Self> {
        if PRIVATE.iter().any(|name| jwk.get(name).is_some()) {
            return None;
        }
        let material = match jwk.get("kty")?.text()? {
            "EC" => ec(jwk)?,
            "OKP" => ed25519(jwk)?,
            "RSA" => rsa(jwk)?,
            _ => return None,
        };
        let usage = optional(jwk, "use", Json::text)?;
        let operations = optional(jwk, "key_ops", Json::list)?;
        let verifies = match operations {
            None => true,
            // Each of them is a text (RFC 7517 §4.3).
            Some(list) => list.iter().map(Json::text).collect::<Option<Vec<_>>>()?.contains(&"verify"),
        };
        Some(Self {
            kid: optional(jwk, "kid", Json::text)?.map(str::to_owned),
            alg: optional(jwk, "alg", Json::text)?.map(str::to_owned),
            verifies: verifies && usage.is_none_or(|usage| usage == "sig"),
            material,
        })
    }

    /// The name by which tokens call for it.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Its numbers.
    #[must_use]
    pub fn material(&self) -> &Material {
        &self.material
    }

    /// Whether a signature by this algorithm may be verified with it: by its kind, its curve, `alg`, `use` and `key_ops`.
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        let kind = match (algorithm.scheme(), &self.material) {
            (Scheme::Ecdsa(wanted), Material::Ec { curve, .. }) => wanted == *curve,
            (Scheme::Ed25519, Material::Ed25519 { .. }) => true,
            (Scheme::RsaPkcs1 | Scheme::RsaPss, Material::Rsa { .. }) => true,
            (Scheme::Ecdsa(_), Material::Ed25519 { .. } | Material::Rsa { .. })
            | (Scheme::Ed25519, Material::Ec { .. } | Material::Rsa { .. })
            | (Scheme::RsaPkcs1 | Scheme::RsaPss, Material::Ec { .. } | Material::Ed25519 { .. }) => false,
        };
        kind && self.verifies && self.alg.as_deref().is_none_or(|alg| Algorithm::parse(alg) == Some(algorithm))
    }

    /// The key as a JWK with the required members alone, in lexicographic order: what is imported, and what is hashed.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut members = Members::new();
        match &self.material {
            Material::Ec { curve, x, y } => members
                .text("crv", Some(curve.as_str()))
                .text("kty", Some("EC"))
                .text("x", Some(&encode(x)))
                .text("y", Some(&encode(y))),
            Material::Ed25519 { x } => {
                members.text("crv", Some("Ed25519")).text("kty", Some("OKP")).text("x", Some(&encode(x)))
            }
            Material::Rsa { n, e } => {
                members.text("e", Some(&encode(e))).text("kty", Some("RSA")).text("n", Some(&encode(n)))
            }
        };
        members.object().to_text()
    }

    /// The name that follows from the key itself. RFC 7638 §3.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        encode(&Sha256::digest(self.to_text().as_bytes()))
    }
}

fn ec(jwk: &Json) -> Option<Material> {
    let name = jwk.get("crv")?.text()?;
    let curve = Curve::ALL.iter().copied().find(|curve| curve.as_str() == name)?;
    let coordinate = |name| number(jwk, name).filter(|number| number.len() == curve.size());
    Some(Material::Ec { curve, x: coordinate("x")?, y: coordinate("y")? })
}

fn ed25519(jwk: &Json) -> Option<Material> {
    (jwk.get("crv")?.text()? == "Ed25519").then_some(())?;
    Some(Material::Ed25519 { x: number(jwk, "x").filter(|x| x.len() == 32)? })
}

fn rsa(jwk: &Json) -> Option<Material> {
    let (n, e) = (number(jwk, "n")?, number(jwk, "e")?);
    // Without zeros in front (RFC 7518 §6.3.1), so that the length tells the size.
    let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    let first = *n.first().filter(|first| **first != 0)?;
    let bits = n.len() * 8 - first.leading_zeros() as usize;
    let exponent = e.first().is_some_and(|first| *first != 0) && e.len() <= 4 && odd(&e) && e != [1];
    (RSA_BITS.contains(&bits) && odd(&n) && exponent && !is_guessable(&n)).then_some(Material::Rsa { n, e })
}

/// Whether the modulus is by the generator of CVE-2017-15361 ("ROCA"), so that whoever sees it can compute the private key: such a
/// one is a power of 65537 modulo every small prime. Of 200 million others, one is taken for such a one.
fn is_guessable(n: &[u8]) -> bool {
    SMALL_PRIMES.iter().all(|prime| {
        let prime = u32::from(*prime);
        let rest = n.iter().fold(0, |rest, byte| (rest << 8 | u32::from(*byte)) % prime);
        let mut power = 1;
        (0..prime).any(|_| {
            power = power * 65537 % prime;
            power == rest
        })
    })
}

fn number(jwk: &Json, name: &str) -> Option<Vec<u8>> {
    decode(jwk.get(name)?.text()?).map(|bytes| bytes.to_vec())
}

/// `Some(None)` where the member is absent, and `None` where it is there and something else.
fn optional<'a, T: ?Sized>(
    jwk: &'a Json,
    name: &str,
    read: impl Fn(&'a Json) -> Option<&'a T>,
) -> Option<Option<&'a T>> {
    match jwk.get(name) {
        None => Some(None),
        Some(value) => read(value).map(Some),
    }
}

/// RFC 7518 §6.2.2, §6.3.2 and §6.4.1.
const PRIVATE: [&str; 8] = ["d", "dp", "dq", "k", "oth", "p", "q", "qi"];

/// Those below 168 modulo which not every number is a power of 65537.
const SMALL_PRIMES: [u8; 17] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/// Less is too weak (RFC 7518 §3.3); more would only cost time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

#[cfg(test)]
mod tests;
