//! Whether a signature can be one of its key at all, before anybody computes with it.
//!
//! RFC 7518 §3.3 to §3.5, RFC 8017 §8.1.2 and §8.2.2, RFC 8032 §5.1.7, FIPS 186-5 §6.4.2. What computes it checks much of
//! this again; that it was checked does not depend on which of them does.

use super::algs::Curve;
use super::jwk::Material;

/// The length is exact, and r and s of ECDSA lie between 1 and the order of the curve minus 1.
pub(super) fn is_possible(key: &Material, signature: &[u8]) -> bool {
    match key {
        Material::Rsa { n, .. } => signature.len() == n.len(),
        Material::Ed25519 { .. } => signature.len() == 64,
        Material::Ec { curve, .. } => {
            let order = order(*curve);
            let inside = |half: &[u8]| half.len() == order.len() && half.iter().any(|byte| *byte != 0) && half < order;
            signature.split_at_checked(curve.size()).is_some_and(|(r, s)| inside(r) && inside(s))
        }
    }
}

/// FIPS 186-4 §D.1.2, as long as a coordinate.
const fn order(curve: Curve) -> &'static [u8] {
    match curve {
        Curve::P256 => {
            b"\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\
            \xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51"
        }
        Curve::P384 => {
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
            \xc7\x63\x4d\x81\xf4\x37\x2d\xdf\x58\x1a\x0d\xb2\x48\xb0\xa7\x7a\xec\xec\x19\x6a\xcc\xc5\x29\x73"
        }
        Curve::P521 => {
            b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
            \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfa\
            \x51\x86\x87\x83\xbf\x2f\x96\x6b\x7f\xcc\x01\x48\xf7\x09\xa5\xd0\
            \x3b\xb5\xc9\xb8\x89\x9c\x47\xae\xbb\x6f\xb7\x1e\x91\x38\x64\x09"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ec(curve: Curve) -> Material {
        Material::Ec { curve, x: Vec::new(), y: Vec::new() }
    }

    /// `number` plus `by`, which does not carry.
    fn plus(number: &[u8], by: i8) -> Vec<u8> {
        let mut number = number.to_vec();
        let last = number.last_mut().unwrap();
        *last = last.checked_add_signed(by).unwrap();
        number
    }

    #[cfg(feature = "jwt-native")]
    #[test]
    fn the_orders_are_those_of_the_curves() {
        use p256::elliptic_curve::Curve as _;
        assert_eq!(order(Curve::P256), p256::NistP256::ORDER.to_be_bytes().as_ref());
        assert_eq!(order(Curve::P384), p384::NistP384::ORDER.to_be_bytes().as_ref());
        let long = p521::NistP521::ORDER.to_be_bytes();
        let long: &[u8] = long.as_ref();
        assert_eq!(order(Curve::P521), &long[long.len() - 66..]);
    }

    #[test]
    fn both_halves_of_an_ecdsa_signature_lie_within_the_order_of_the_curve() {
        for curve in Curve::ALL {
            let zero = vec![0; curve.size()];
            let (one, order) = (plus(&zero, 1), order(*curve).to_vec());
            let (most, beyond) = (plus(&order, -1), plus(&order, 1));
            let full = vec![0xff; curve.size()];
            for (half, good) in
                [(&zero, false), (&one, true), (&most, true), (&order, false), (&beyond, false), (&full, false)]
            {
                for signature in [[&one[..], half].concat(), [half, &one[..]].concat()] {
                    assert_eq!(is_possible(&ec(*curve), &signature), good, "{curve:?} {half:?}");
                }
            }
        }
    }

    #[test]
    fn the_length_of_a_signature_is_exact() {
        let rsa = Material::Rsa { n: vec![0xff; 256], e: vec![3] };
        let ed25519 = Material::Ed25519 { x: vec![1; 32] };
        for (key, length) in
            [(rsa, 256), (ed25519, 64), (ec(Curve::P256), 64), (ec(Curve::P384), 96), (ec(Curve::P521), 132)]
        {
            for wrong in [0, 1, length / 2, length - 1, length + 1, length * 2] {
                assert!(!is_possible(&key, &vec![1; wrong]), "{key:?} {wrong}");
            }
            assert!(is_possible(&key, &vec![1; length]), "{key:?}");
        }
        // An ECDSA signature in DER, as X.509 has it.
        assert!(!is_possible(&ec(Curve::P256), &[&[0x30, 0x44, 2, 32][..], &[1; 32], &[2, 32], &[1; 32]].concat()));
    }
}
