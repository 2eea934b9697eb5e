use super::*;
use crate::jose::testing::changed;
use crate::jose::testing::keys::{ED25519, P256, P384, P521, RSA};

fn read(text: &str) -> Option<Jwk> {
    Jwk::read(&Json::parse(text).unwrap())
}

/// A modulus or an exponent from its first and its last byte and its length.
fn integer(first: u8, last: u8, length: usize) -> String {
    let mut bytes = vec![0xff; length];
    bytes[0] = first;
    bytes[length - 1] = last;
    ["\"", &encode(&bytes), "\""].concat()
}

fn zeros(length: usize) -> String {
    ["\"", &encode(&vec![0; length]), "\""].concat()
}

#[test]
fn keys_of_every_kind_are_read_and_written_anew_without_what_nobody_looked_at() {
    for key in [ED25519, P256, P384, P521, RSA] {
        let more = changed(
            key,
            &[("kid", "\"1\""), ("use", "\"sig\""), ("x5c", "[\"MIIB\"]"), ("ext", "true"), ("alg", "\"x\"")],
        );
        let (plain, more) = (read(key).unwrap(), read(&more).unwrap());
        assert_eq!(plain.material(), more.material());
        assert_eq!((plain.kid(), more.kid()), (None, Some("1")));
        let written = Json::parse(&more.to_text()).unwrap();
        let mut members: Vec<_> = Json::parse(key).unwrap().members().unwrap().to_vec();
        members.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(written, Json::Object(members));
        assert_eq!(read(&more.to_text()).unwrap(), plain);
    }
}

#[test]
fn a_thumbprint_is_that_of_rfc_7638_section_3_1_and_rfc_8037_appendix_a_3() {
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhM\
        stn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn\
        1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let rsa = ["{\"kty\":\"RSA\",\"n\":\"", n, "\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}"].concat();
    assert_eq!(read(&rsa).unwrap().thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    let ed25519 = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    assert_eq!(read(ed25519).unwrap().thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn a_key_that_tells_a_secret_is_never_used() {
    for key in [ED25519, P256, RSA] {
        for name in ["d", "dp", "dq", "k", "oth", "p", "q", "qi"] {
            for value in ["\"AQAB\"", "null", "[]"] {
                assert_eq!(read(&changed(key, &[(name, value)])), None, "{name} {value}");
            }
        }
    }
    assert_eq!(read(r#"{"kty":"oct","k":"c2VjcmV0"}"#), None);
    assert_eq!(read(r#"{"kty":"oct"}"#), None);
}

#[test]
fn what_is_no_key_is_not_read() {
    for text in ["{}", "[]", "null", "7", "\"x\"", r#"{"kty":"RSA"}"#, r#"{"kty":"EC"}"#, r#"{"kty":"OKP"}"#] {
        assert_eq!(read(text), None, "{text}");
    }
    for key in [ED25519, P256, RSA] {
        for name in ["kty", "crv", "x", "y", "n", "e"] {
            for value in ["", "null", "7", "[\"AQAB\"]", "\"\"", "\"AQAB=\"", "\"AQAB \"", "\"+/+/\"", "\"rsa\""] {
                if Json::parse(key).unwrap().get(name).is_some() && !(name == "e" && value == "\"AQAB\"") {
                    assert_eq!(read(&changed(key, &[(name, value)])), None, "{name} {value}");
                }
            }
        }
        for name in ["kid", "alg", "use", "key_ops"] {
            for value in ["null", "7", "{}", "true", "[7]", "[null]"] {
                assert_eq!(read(&changed(key, &[(name, value)])), None, "{name} {value}");
            }
        }
    }
    assert_eq!(read(&changed(RSA, &[("key_ops", "\"verify\"")])), None);
}

#[test]
fn an_rsa_modulus_is_odd_and_has_2048_to_8192_bits() {
    for (first, last, length, good) in [
        (0x80, 1, 256, true),
        (0xff, 0xff, 256, true),
        (0x7f, 1, 256, false),
        (0x80, 0, 256, false),
        (0x80, 1, 255, false),
        (0x80, 1, 128, false),
        (0x01, 1, 257, true),
        (0x00, 1, 257, false),
        (0x80, 1, 1024, true),
        (0x01, 1, 1025, false),
    ] {
        let key = changed(RSA, &[("n", &integer(first, last, length))]);
        assert_eq!(read(&key).is_some(), good, "{first} {last} {length}");
    }
}

#[test]
fn a_key_whose_private_half_anybody_can_compute_is_not_read() {
    // Made for this test, of two primes as the faulty generator made them for 2048 bits.
    let guessable = "xZPgS7KGaLkEiaQvlR3P6ZoIMTn_-L3hxTcsRwSdU-D8HhR8hN1Pwc_UmhvAdbX8wJnfNuciYsxFQ4YkHXYzRtRI3HYr1Vx8y1HlF2FWqEkYshBymC5kEISA6Qj3Hw9Ies3fufTsILPFvDUKICxrARsCfLPW2ADqIjKMAefwzzQ_F5ntmvWgo0tCDaAnwGkqMgTbyh1GRhR_Ta4uJzovovevlynvP0ZSmLHgdWidiPr-xsapf55Fw5QxSVmx_74ay_fC5NP-yu8xSEggTmWMhfPDvTz8trsSzVyO145Pskvq9LtJZwrvH7HcSrms9iWNEWRfL_PSiSTFsH0otHsHfw";
    assert_eq!(read(&changed(RSA, &[("n", &["\"", guessable, "\""].concat())])), None);
    let mut other = decode(guessable).unwrap().to_vec();
    for index in 1..other.len() - 1 {
        other[index] ^= 1;
        let n = ["\"", &encode(&other), "\""].concat();
        assert!(read(&changed(RSA, &[("n", &n)])).is_some(), "{index}");
        other[index] ^= 1;
    }
}

#[test]
fn an_rsa_exponent_is_odd_and_at_least_three() {
    let exponent = |bytes: &[u8]| {
        let e = ["\"", &encode(bytes), "\""].concat();
        read(&changed(RSA, &[("e", &e)])).is_some()
    };
    for good in [&[3][..], &[17], &[1, 0, 1], &[0xff, 0xff, 0xff, 0xff]] {
        assert!(exponent(good), "{good:?}");
    }
    for bad in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[0, 3], &[0, 1], &[1, 0, 0, 0, 1]] {
        assert!(!exponent(bad), "{bad:?}");
    }
}

#[test]
fn a_coordinate_has_the_length_of_its_curve_and_the_curve_is_one_of_these() {
    for (key, length) in [(P256, 32), (P384, 48), (P521, 66), (ED25519, 32)] {
        for name in ["x", "y"] {
            if Json::parse(key).unwrap().get(name).is_some() {
                for wrong in [1, length - 1, length + 1, 65, 133] {
                    assert_eq!(read(&changed(key, &[(name, &zeros(wrong))])), None, "{key} {name} {wrong}");
                }
                assert!(read(&changed(key, &[(name, &zeros(length))])).is_some(), "{key} {name}");
            }
        }
        for curve in ["\"secp256k1\"", "\"p-256\"", "\"P-256K\"", "\"Ed448\"", "\"X25519\"", "\"P-384 \""] {
            assert_eq!(read(&changed(key, &[("crv", curve)])), None, "{curve}");
        }
    }
    assert_eq!(read(&changed(ED25519, &[("crv", "\"P-256\"")])), None);
    assert_eq!(read(&changed(P256, &[("crv", "\"Ed25519\"")])), None);
}

#[test]
fn a_key_fits_the_algorithms_of_its_kind_only() {
    let names = |key: &str| {
        let key = read(key).unwrap();
        Algorithm::ALL.iter().filter(|each| key.fits(**each)).map(|each| each.as_str()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(RSA), "PS256 PS384 PS512 RS256 RS384 RS512");
    assert_eq!(names(P256), "ES256");
    assert_eq!(names(P384), "ES384");
    assert_eq!(names(P521), "ES512");
    assert_eq!(names(ED25519), "EdDSA");
    assert_eq!(names(&changed(RSA, &[("alg", "\"PS384\"")])), "PS384");
    assert_eq!(names(&changed(P256, &[("alg", "\"ES384\"")])), "");
    assert_eq!(names(&changed(P256, &[("use", "\"enc\"")])), "");
    assert_eq!(names(&changed(P256, &[("use", "\"sig\""), ("key_ops", "[\"encrypt\"]")])), "");
}
