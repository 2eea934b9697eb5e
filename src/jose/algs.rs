//! The algorithms by which a token may be signed, and the list of those that are allowed.
//!
//! RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2, RFC 8725 §3.1 and §3.2. Only signatures by a private key are here: `none` and the
//! HMAC algorithms have no name in this list, so no option can allow them. `EdDSA` is Ed25519, which is its newer name; Ed448 is
//! not supported.

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519. RFC 8037 §3.1; also named `Ed25519`, by RFC 9864 §2.2.
    EdDsa,
    /// ECDSA on P-256 with SHA-256. RFC 7518 §3.4.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// RSASSA-PSS with SHA-256 and a salt of its length. RFC 7518 §3.5.
    Ps256,
    /// RSASSA-PSS with SHA-384 and a salt of its length.
    Ps384,
    /// RSASSA-PSS with SHA-512 and a salt of its length.
    Ps512,
    /// RSASSA-PKCS1-v1_5 with SHA-256. RFC 7518 §3.3.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
}

/// What is computed with the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// On the curve that belongs to the algorithm.
    Ecdsa(Curve),
    /// Hashes by itself.
    Ed25519,
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1,
    /// RSASSA-PSS; the salt is as long as the hash.
    RsaPss,
}

/// A curve of NIST. RFC 7518 §6.2.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// `P-256`
    P256,
    /// `P-384`
    P384,
    /// `P-521`
    P521,
}

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

impl Algorithm {
    /// Every algorithm, in the order of their names.
    pub const ALL: &'static [Self] = &[
        Self::EdDsa,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
    ];

    /// The name in `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
        }
    }

    /// By its name, which is compared byte for byte (RFC 7515 §4.1.1), or by [`ED25519`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if name == ED25519 {
            return Some(Self::EdDsa);
        }
        Self::ALL.iter().copied().find(|each| each.as_str() == name)
    }

    /// What is computed.
    #[must_use]
    pub const fn scheme(self) -> Scheme {
        match self {
            Self::EdDsa => Scheme::Ed25519,
            Self::Es256 => Scheme::Ecdsa(Curve::P256),
            Self::Es384 => Scheme::Ecdsa(Curve::P384),
            Self::Es512 => Scheme::Ecdsa(Curve::P521),
            Self::Ps256 | Self::Ps384 | Self::Ps512 => Scheme::RsaPss,
            Self::Rs256 | Self::Rs384 | Self::Rs512 => Scheme::RsaPkcs1,
        }
    }

    /// The hash that belongs to it. Ed25519 hashes by SHA-512 itself (RFC 8032 §5.1), and so does its `at_hash`.
    #[must_use]
    pub const fn hash(self) -> Hash {
        match self {
            Self::Es256 | Self::Ps256 | Self::Rs256 => Hash::Sha256,
            Self::Es384 | Self::Ps384 | Self::Rs384 => Hash::Sha384,
            Self::EdDsa | Self::Es512 | Self::Ps512 | Self::Rs512 => Hash::Sha512,
        }
    }
}

impl Curve {
    /// Every curve.
    pub const ALL: &'static [Self] = &[Self::P256, Self::P384, Self::P521];

    /// The name in `crv`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// The bytes of a coordinate, and of each half of a signature.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// The name that says which curve `EdDSA` is on. RFC 9864 §2.2.
pub const ED25519: &str = "Ed25519";

/// Which algorithms a client takes. RFC 8725 §3.1. Never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed(u16);

impl Default for Allowed {
    /// RS256, which every provider has (OpenID Connect Core §15.1), and PS256, ES256 and EdDSA.
    fn default() -> Self {
        Self(bit(Algorithm::Rs256) | bit(Algorithm::Ps256) | bit(Algorithm::Es256) | bit(Algorithm::EdDsa))
    }
}

impl Allowed {
    /// These and no others; `None` for none at all.
    #[must_use]
    pub fn only(algorithms: &[Algorithm]) -> Option<Self> {
        let bits = algorithms.iter().fold(0, |bits, each| bits | bit(*each));
        (bits != 0).then_some(Self(bits))
    }

    /// As a number, for the other module of this very build.
    #[must_use]
    pub fn bits(self) -> u16 {
        self.0
    }

    /// What [`bits`](Self::bits) gave.
    #[must_use]
    pub fn from_bits(bits: u16) -> Option<Self> {
        let known = Algorithm::ALL.iter().fold(0, |bits, each| bits | bit(*each));
        (bits != 0 && bits & !known == 0).then_some(Self(bits))
    }

    /// Whether a token may be signed so.
    #[must_use]
    pub fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & bit(algorithm) != 0
    }
}

fn bit(algorithm: Algorithm) -> u16 {
    1 << algorithm as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_is_found_by_its_own_name_and_by_no_other_spelling() {
        for each in Algorithm::ALL {
            let name = each.as_str();
            assert_eq!(Algorithm::parse(name), Some(*each));
            assert_eq!(Algorithm::parse(&[name, " "].concat()), None);
            assert_eq!(Algorithm::parse(&name.to_ascii_lowercase()), None, "{name}");
        }
        let names: Vec<_> = Algorithm::ALL.iter().map(|each| each.as_str().to_ascii_uppercase()).collect();
        assert!(names.is_sorted(), "{names:?}");
    }

    #[test]
    fn neither_none_nor_a_shared_secret_has_a_name_here() {
        for name in ["none", "None", "NONE", "HS256", "HS384", "HS512", "", "RSA-OAEP", "ES256K", "Ed448"] {
            assert_eq!(Algorithm::parse(name), None, "{name}");
        }
    }

    #[test]
    fn four_algorithms_are_allowed_where_nobody_says_otherwise() {
        let allowed: Vec<_> = Algorithm::ALL
            .iter()
            .filter(|each| Allowed::default().contains(**each))
            .map(|each| each.as_str())
            .collect();
        assert_eq!(allowed, ["EdDSA", "ES256", "PS256", "RS256"]);
    }

    #[test]
    fn exactly_the_algorithms_that_were_named_are_allowed() {
        for one in Algorithm::ALL {
            let allowed = Allowed::only(&[*one, *one]).unwrap();
            for other in Algorithm::ALL {
                assert_eq!(allowed.contains(*other), one == other, "{one:?} {other:?}");
            }
        }
        assert_eq!(Allowed::only(&[]), None);
    }

    #[test]
    fn the_newer_name_of_ed25519_is_another_spelling_of_the_same() {
        assert_eq!(Algorithm::parse("Ed25519"), Some(Algorithm::EdDsa));
        assert_eq!(Algorithm::parse("ed25519"), None);
        assert!(Allowed::default().contains(Algorithm::parse(ED25519).unwrap()));
    }

    #[test]
    fn a_list_survives_as_a_number_and_no_other_number_is_one() {
        let everything = Allowed::only(Algorithm::ALL).unwrap();
        for allowed in [Allowed::default(), everything, Allowed::only(&[Algorithm::Rs512]).unwrap()] {
            assert_eq!(Allowed::from_bits(allowed.bits()), Some(allowed));
        }
        assert_eq!(Allowed::from_bits(0), None);
        assert_eq!(Allowed::from_bits(everything.bits() + 1), None);
    }

    #[test]
    fn the_number_in_a_name_is_that_of_the_hash_and_ed25519_has_its_own() {
        for each in Algorithm::ALL {
            let number = each.as_str().get(2..).unwrap();
            let expected = match number {
                "256" => Hash::Sha256,
                "384" => Hash::Sha384,
                "512" | "DSA" => Hash::Sha512,
                other => panic!("{other}"),
            };
            assert_eq!(each.hash(), expected, "{each:?}");
        }
    }

    #[test]
    fn each_kind_of_name_has_its_scheme_and_its_curve() {
        for each in Algorithm::ALL {
            let expected = match each.as_str() {
                "EdDSA" => Scheme::Ed25519,
                "ES256" => Scheme::Ecdsa(Curve::P256),
                "ES384" => Scheme::Ecdsa(Curve::P384),
                "ES512" => Scheme::Ecdsa(Curve::P521),
                name if name.starts_with("PS") => Scheme::RsaPss,
                _ => Scheme::RsaPkcs1,
            };
            assert_eq!(each.scheme(), expected, "{each:?}");
        }
        let curves: Vec<_> = Curve::ALL.iter().map(|curve| (curve.as_str(), curve.size())).collect();
        assert_eq!(curves, [("P-256", 32), ("P-384", 48), ("P-521", 66)]);
    }
}
