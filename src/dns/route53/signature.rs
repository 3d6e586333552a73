//! Signature Version 4: how Amazon's services know who asks.
use crate::dns::api::{escape, hex};
use aws_lc_rs::{digest, hmac};

#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) key_id: String,
    pub(super) secret: String,
    /// Empty for keys that last.
    pub(super) session_token: String,
}
/// What is signed of a request.
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    /// Names and values, not yet escaped.
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: &'a str,
    /// `20150830T123600Z`.
    pub(super) time: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}
impl Signed<'_> {
    /// The query, escaped and in the order in which it is signed.
    pub(super) fn query(&self) -> String {
        let mut pairs: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
        pairs.sort();
        pairs.join("&")
    }
    /// The header `Authorization`.
    pub(super) fn authorization(&self, credentials: &Credentials) -> String {
        let token = &credentials.session_token;
        let mut headers = vec![("host", self.host), ("x-amz-date", self.time)];
        if !token.is_empty() {
            headers.push(("x-amz-security-token", token));
        }
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let request = format!(
            "{}\n{}\n{}\n{lines}\n{names}\n{}",
            self.method,
            self.path,
            self.query(),
            sha256(self.body)
        );
        let day = self.time.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", self.time, sha256(&request));
        let mut key = format!("AWS4{}", credentials.secret).into_bytes();
        for part in [day, self.region, self.service, "aws4_request"] {
            key = mac(&key, part);
        }
        let signature = hex(&mac(&key, &text));
        let id = &credentials.key_id;
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}")
    }
}
fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}
fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}
#[cfg(test)]
mod tests {
    use super::*;
    /// Amazon's own test suite, `aws-sig-v4-test-suite`.
    #[test]
    fn signatures_are_those_of_amazons_test_suite() {
        let credentials = Credentials {
            key_id: "AKIDEXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session_token: String::new(),
        };
        for (name, method, query, signature) in [
            (
                "get-vanilla",
                "GET",
                &[][..],
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "post-vanilla",
                "POST",
                &[][..],
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                "get-vanilla-query-order-key-case",
                "GET",
                &[("Param2", "value2"), ("Param1", "value1")][..],
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        ] {
            let signed = Signed {
                method,
                host: "example.amazonaws.com",
                path: "/",
                query,
                body: "",
                time: "20150830T123600Z",
                region: "us-east-1",
                service: "service",
            };
            let authorization = signed.authorization(&credentials);
            assert!(
                authorization.ends_with(&format!("SignedHeaders=host;x-amz-date, Signature={signature}")),
                "{name}: {authorization}"
            );
        }
    }
}
