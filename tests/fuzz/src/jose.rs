//! Z3 to Z6: signed tokens, their claims, and sets of keys. See the table in `lib.rs`.

use authsafe::jose::algs::{Algorithm, Allowed};
use authsafe::jose::cache::KeyCache;
use authsafe::jose::compact::Compact;
use authsafe::jose::id_token::Expected;
use authsafe::jose::judge::{Beside, judge_unsigned};
use authsafe::jose::jwk::Jwk;
use authsafe::jose::jwks::JwkSet;
use authsafe::jose::native;
use authsafe::jose::rules::IdTokenError;
use authsafe::jose::verify::{Verified, accept, decode_unverified, prepare};
use authsafe::types::{ClientId, IdToken, Issuer, Json, Lifetime, Reading, UnixMillis};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::Value;

#[path = "../../../src/jose/testing/keys.rs"]
#[allow(dead_code, reason = "the unit tests use the rest")]
mod keys;

const NOW: i64 = 1_700_000_000;

/// Z3: a token in compact form; or the texts of its header, payload and signature, a line each.
pub fn jws_compact(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    compact(text);
    let lines: Vec<_> = text.splitn(3, '\n').map(|line| URL_SAFE_NO_PAD.encode(line)).collect();
    compact(&lines.join("."));
}

fn compact(token: &str) {
    let read = Compact::parse(token);
    assert_eq!(read.is_ok() && token.len() <= 256 * 1024, decode_unverified(token).is_ok());
    let Ok(read) = read else { return };
    let parts: Vec<_> = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).ok()).collect();
    let [Some(header), Some(payload), Some(signature)] = parts.as_slice() else {
        panic!("not three parts in base64url")
    };
    // A token has one spelling: what was read is written the same.
    assert_eq!([header, payload, signature].map(|part| URL_SAFE_NO_PAD.encode(part)).join("."), token);
    assert_eq!(
        (read.signature.as_slice(), Some(read.signed)),
        (&signature[..], token.rsplit_once('.').map(|(it, _)| it))
    );
    assert!(!signature.is_empty());
    for (ours, theirs) in [(&read.header, header), (&read.payload, payload)] {
        let theirs: Option<Value> = serde_json::from_slice(theirs).ok();
        let agrees = |ours: &Json| theirs.as_ref().is_some_and(|theirs| same(ours, theirs));
        assert!(agrees(ours), "another reader differs");
        // But for the last bits of a number that has more digits than it can hold.
        assert!(Json::parse(&ours.to_text()).is_some_and(|again| agrees(&again)), "written, it is read differently");
    }
    let alg = read.header.get("alg").and_then(Json::text).unwrap_or_default();
    assert!(!alg.is_empty() && !alg.eq_ignore_ascii_case("none"), "not signed");
    assert!(["crit", "zip", "b64"].iter().all(|name| read.header.get(name).is_none()), "an extension");
    for other in [[token, "="].concat(), [token, "\n"].concat(), [" ", token].concat(), [token, "."].concat()] {
        assert!(Compact::parse(&other).is_err(), "a second spelling");
    }
}

/// Whether both are the same value, with no member twice.
fn same(ours: &Json, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Json::Null, Value::Null) => true,
        (Json::Bool(ours), Value::Bool(theirs)) => ours == theirs,
        (Json::Number(ours), Value::Number(theirs)) => {
            theirs.as_f64().is_some_and(|theirs| (ours - theirs).abs() <= theirs.abs() * 1e-14 + f64::MIN_POSITIVE)
        }
        (Json::Text(ours), Value::String(theirs)) => ours == theirs,
        (Json::List(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Json::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().all(|(name, ours)| theirs.get(name).is_some_and(|theirs| same(ours, theirs)))
        }
        _ => false,
    }
}

/// Z4: what was done to a good token. The first byte chooses the token; each three that follow are a place and a mask. Where it
/// is 255, the rest are the lines of a header and of a payload, which our own key signs.
pub fn jws_verify(bytes: &[u8]) {
    let [which, rest @ ..] = bytes else { return };
    if *which == u8::MAX {
        return signed(rest);
    }
    let Some((_, key, good)) = keys::TOKENS.get(usize::from(*which) % keys::TOKENS.len()) else { return };
    let mut token = good.as_bytes().to_vec();
    for change in rest.chunks_exact(3) {
        let [high, low, mask] = change else { return };
        let at = (usize::from(*high) * 256 + usize::from(*low)) % token.len();
        if let Some(byte) = token.get_mut(at) {
            *byte ^= mask;
        }
    }
    let Ok(token) = std::str::from_utf8(&token) else { return };
    let set = JwkSet::parse(["{\"keys\":[", key, "]}"].concat().as_bytes());
    let verified = set.is_ok_and(|set| verified(token, &set).is_some());
    assert_eq!(verified, token == *good, "a token is verified exactly as it was signed");
}

fn verified(token: &str, set: &JwkSet) -> Option<Verified> {
    let prepared = prepare(token, set, Allowed::only(Algorithm::ALL)?).ok()?;
    let seen = native::verify(&prepared).ok()?;
    accept(prepared, &seen).ok()
}

fn signed(lines: &[u8]) {
    let signer = SigningKey::from_bytes(&[7; 32]);
    let x = URL_SAFE_NO_PAD.encode(signer.verifying_key().as_bytes());
    let key = ["{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"", &x, "\"}"].concat();
    let Ok(set) = JwkSet::parse(["{\"keys\":[", &key, "]}"].concat().as_bytes()) else { panic!("our own key") };
    let (header, payload) = lines.split_at(lines.iter().position(|byte| *byte == b'\n').unwrap_or(lines.len()));
    let payload = payload.get(1..).unwrap_or_default();
    let input = [URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload)].join(".");
    let token = [&input, ".", &URL_SAFE_NO_PAD.encode(signer.sign(input.as_bytes()).to_bytes())].concat();
    let Some(ours) = verified(&token, &set) else { return };
    assert_eq!(ours.algorithm(), Algorithm::EdDsa);
    // Accepted here is accepted there, and means the same.
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    rules.required_spec_claims.clear();
    (rules.validate_exp, rules.validate_aud) = (false, false);
    let theirs = jsonwebtoken::DecodingKey::from_ed_components(&x)
        .and_then(|key| jsonwebtoken::decode::<Value>(&token, &key, &rules));
    assert!(theirs.is_ok_and(|theirs| same(ours.claims(), &theirs.claims)), "`jsonwebtoken` differs");
    // One bit less or more in it, wherever the input says.
    let mut other = token.clone().into_bytes();
    let (at, bit) = (lines.iter().map(|byte| usize::from(*byte)).sum::<usize>() % other.len(), lines.len() % 7);
    if let Some(byte) = other.get_mut(at) {
        *byte ^= 1 << bit;
    }
    assert!(std::str::from_utf8(&other).is_ok_and(|other| verified(other, &set).is_none()), "a flipped bit");
}

/// Z5: the claims of an ID token.
pub fn id_token_claims(bytes: &[u8]) {
    let Some(token) = id_token(bytes) else { return };
    let (issuer, client_id) = (Issuer("https://as.example".to_owned()), ClientId("app".to_owned()));
    let (leeway, now) = (Lifetime::from_seconds(60), UnixMillis(NOW * 1000));
    let expected =
        Expected { issuer: &issuer, client_id: &client_id, nonce: None, max_age: None, leeway, now, typ: None };
    let judge = |token: &IdToken, before: Option<&Json>| judge_unsigned(token, before, &expected, &Beside::default());
    let Ok(claims) = judge(&token, None) else { return };
    let Ok(theirs) = serde_json::from_slice::<Value>(bytes) else { panic!("another reader refuses it") };
    let text = |name: &str| theirs.get(name).map(Value::as_str);
    let time = |name: &str| theirs.get(name).map(Value::as_f64);
    assert_eq!(text("iss"), Some(Some("https://as.example")));
    assert!(text("sub").flatten().is_some_and(|sub| !sub.is_empty()));
    let ours = |aud: &Value| aud.as_str() == Some("app");
    let several = theirs.get("aud").and_then(Value::as_array);
    assert!(theirs.get("aud").is_some_and(ours) || several.is_some_and(|all| all.iter().any(ours)));
    assert!(several.is_none_or(|all| all.len() < 2) || text("azp").is_some());
    assert!(text("azp").is_none_or(|azp| azp == Some("app")));
    assert!(time("exp").flatten().is_some_and(|exp| exp > (NOW - 60) as f64 - 0.01), "it has expired");
    assert!(time("iat").flatten().is_some_and(|iat| iat < (NOW + 60) as f64 + 0.01), "it has not begun");
    assert!(time("nbf").is_none_or(|nbf| nbf.is_some_and(|nbf| nbf < (NOW + 60) as f64 + 0.01)), "it has not begun");
    assert!(judge(&token, Some(&claims)).is_ok(), "it is not its own successor");
    // Of another type, a claim is malformed, and never absent.
    let Some(members) = theirs.as_object() else { panic!("no object") };
    for name in ["iss", "sub", "aud", "azp", "exp", "iat", "nbf", "auth_time", "nonce"] {
        for odd in [Value::Null, Value::Bool(true), serde_json::json!({}), serde_json::json!([7])] {
            let mut other = members.clone();
            other.insert(name.to_owned(), odd);
            let Some(other) = id_token(Value::Object(other).to_string().as_bytes()) else { continue };
            let verdict = judge(&other, None);
            assert!(matches!(verdict, Err(IdTokenError::Malformed(_))), "{name}: {:?}", verdict.err());
        }
    }
}

fn id_token(claims: &[u8]) -> Option<IdToken> {
    let (header, claims) = (URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#), URL_SAFE_NO_PAD.encode(claims));
    IdToken::new([&header, ".", &claims, ".c2ln"].concat())
}

/// Z6: a set of keys; and, each byte a step, what happens to a cache of keys.
pub fn jwks(bytes: &[u8]) {
    cache(bytes);
    let Ok(set) = JwkSet::parse(bytes) else { return };
    let Ok(Value::Object(document)) = serde_json::from_slice(bytes) else { panic!("another reader refuses it") };
    let Some(listed) = document.get("keys").and_then(Value::as_array) else { panic!("no list") };
    assert!(listed.len() <= 100);
    assert_eq!(set.keys().len() + set.skipped(), listed.len());
    for key in set.keys() {
        let text = key.to_text();
        let again = Json::parse(&text).as_ref().and_then(Jwk::read);
        assert!(
            again.is_some_and(|again| again.material() == key.material() && again.thumbprint() == key.thumbprint())
        );
        // RFC 7638 §3.3: sorted, without spaces, and public.
        let theirs: Option<Value> = serde_json::from_str(&text).ok();
        assert_eq!(theirs.as_ref().map(Value::to_string), Some(text));
        assert!(theirs.is_some_and(|theirs| theirs.get("d").is_none() && theirs.get("k").is_none()));
    }
    // The order of the set does not matter, nor does asking twice.
    let reversed: Vec<_> = listed.iter().rev().cloned().collect();
    let reversed = JwkSet::parse(serde_json::json!({ "keys": reversed }).to_string().as_bytes());
    let Ok(reversed) = reversed else { panic!("reversed, it is none") };
    let Some(all) = Allowed::only(Algorithm::ALL) else { return };
    for (name, _, token) in keys::TOKENS {
        let chosen = |set| prepare(token, set, all).map(|prepared| prepared.key().clone());
        assert_eq!(chosen(&set), chosen(&reversed), "{name}");
        assert_eq!(chosen(&set), chosen(&set), "{name}");
        assert!(chosen(&set).is_ok_and(|key| set.keys().contains(&key)) || chosen(&set).is_err());
    }
}

fn cache(steps: &[u8]) {
    let Ok(set) = JwkSet::parse(b"{\"keys\":[]}") else { return };
    let (mut cache, mut ran, mut back) = (KeyCache::default(), 0_i64, 0_i64);
    let (mut asked, mut called, mut learnt): (Option<i64>, Option<i64>, Option<i64>) = (None, None, None);
    for step in steps.iter().take(256) {
        ran += [0, 1, 10, 59, 60, 599, 3600, 86_400].get(usize::from(step & 7)).copied().unwrap_or(0);
        // The clock on the wall may be set back.
        back += if step & 8 == 0 { 0 } else { 1000 };
        let now = Reading { wall: UnixMillis((ran - back) * 1000), ran: Lifetime::from_seconds(ran) };
        let held = learnt.is_some_and(|at| ran - at < 86_400);
        assert_eq!(cache.keys(now).is_some(), held, "keys count for a day");
        assert!(held || cache.is_due(now), "there are no keys, and nobody asks");
        let unknown = step & 16 != 0;
        let due = cache.is_due(now);
        assert!(!due || !held || asked.is_none_or(|at| ran - at >= 60), "asked regularly twice within a minute");
        let called_for = !due && unknown && cache.may_ask_again(now);
        if due {
            cache.ask(now);
        } else if called_for {
            assert!(called.is_none_or(|at| ran - at >= 60), "two tokens had them asked for within a minute");
            cache.ask_again(now);
            called = Some(ran);
            assert!(!cache.may_ask_again(now));
        }
        if due || called_for {
            asked = Some(ran);
            if step & 32 == 0 {
                cache.learn(set.clone(), now);
                learnt = Some(ran);
                assert!(!cache.is_due(now));
            }
        }
    }
}
