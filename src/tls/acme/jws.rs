//! Signed requests (RFC 7515, as RFC 8555 section 6.2 wants them): ES256 with the account's key.
use aws_lc_rs::{
    digest, hmac,
    rand::SystemRandom,
    signature::{EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

/// How a request says whose it is.
#[derive(Clone, Copy)]
pub(super) enum Signer<'a> {
    /// By the account's URL.
    Account(&'a str),
    /// By the key itself: before there is an account.
    Key,
}
/// The body of a POST.
///
/// # Errors
/// The system has no randomness.
pub(super) fn sign(
    key: &EcdsaKeyPair,
    signer: Signer<'_>,
    nonce: &str,
    url: &str,
    payload: &str,
) -> Result<String, String> {
    let mut protected = json!({ "alg": "ES256", "nonce": nonce, "url": url });
    match signer {
        Signer::Account(account) => protected["kid"] = account.into(),
        Signer::Key => protected["jwk"] = jwk(key),
    }
    flattened(&protected, payload.as_bytes(), |text| {
        let signature = key.sign(&SystemRandom::new(), text).map_err(|_| "signing failed".to_owned())?;
        Ok(signature.as_ref().to_vec())
    })
}
/// External account binding: the account's key, signed with what the authority gave out (RFC 8555, section 7.3.4).
///
/// # Errors
/// The key is not base64url.
pub(super) fn bind(key: &EcdsaKeyPair, key_id: &str, mac_key: &str, url: &str) -> Result<Value, String> {
    let secret =
        BASE64.decode(mac_key.trim_end_matches('=')).map_err(|error| format!("eab mac key: {error}"))?;
    let secret = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let protected = json!({ "alg": "HS256", "kid": key_id, "url": url });
    let signed = flattened(&protected, jwk(key).to_string().as_bytes(), |text| {
        Ok(hmac::sign(&secret, text).as_ref().to_vec())
    })?;
    serde_json::from_str(&signed).map_err(|error| error.to_string())
}
/// What proves to the authority that a challenge's answer is the account's (RFC 8555, section 8.1).
pub(super) fn key_authorization(key: &EcdsaKeyPair, token: &str) -> String {
    // The members in lexical order: RFC 7638.
    let thumbprint = digest::digest(&digest::SHA256, jwk(key).to_string().as_bytes());
    format!("{token}.{}", BASE64.encode(thumbprint))
}
fn jwk(key: &EcdsaKeyPair) -> Value {
    // An uncompressed point: 4, then x and y of 32 bytes each.
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    json!({ "crv": "P-256", "kty": "EC", "x": BASE64.encode(x), "y": BASE64.encode(y) })
}
fn flattened(
    protected: &Value,
    payload: &[u8],
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, String>,
) -> Result<String, String> {
    let (protected, payload) = (BASE64.encode(protected.to_string()), BASE64.encode(payload));
    let signature = sign(format!("{protected}.{payload}").as_bytes())?;
    let body = json!({ "protected": protected, "payload": payload, "signature": BASE64.encode(signature) });
    Ok(body.to_string())
}
#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, UnparsedPublicKey};

    #[test]
    fn what_is_signed_verifies_with_the_key_in_it() {
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
        let body: Value =
            serde_json::from_str(&sign(&key, Signer::Key, "n", "https://ca/x", "{}").unwrap()).unwrap();
        let part = |name: &str| body[name].as_str().unwrap().to_owned();
        let protected: Value = serde_json::from_slice(&BASE64.decode(part("protected")).unwrap()).unwrap();
        assert_eq!((&protected["nonce"], &protected["url"]), (&json!("n"), &json!("https://ca/x")));
        let signed = format!("{}.{}", part("protected"), part("payload"));
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref());
        public.verify(signed.as_bytes(), &BASE64.decode(part("signature")).unwrap()).unwrap();
        let authorization = key_authorization(&key, "token");
        assert!(authorization.starts_with("token.") && authorization.len() == 6 + 43, "{authorization}");
    }
}
