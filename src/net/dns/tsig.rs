//! Signatures of DNS messages with a secret that both sides know (RFC 8945).
use super::{Message, Record, encode_name, kind, rcode};
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};

const ANY: u16 = 255;
/// Seconds that clocks may differ by.
const FUDGE: u16 = 300;

pub struct Key {
    name: String,
    /// As records name it.
    algorithm: String,
    secret: hmac::Key,
}
impl Key {
    /// `algorithm` such as `hmac-sha256`; `secret` in base64.
    ///
    /// # Errors
    /// An algorithm that is not known, a secret that is no base64.
    pub fn new(name: &str, algorithm: &str, secret: &str) -> Result<Self, String> {
        let algorithm = algorithm.trim_end_matches('.').to_ascii_lowercase();
        let hash = match algorithm.as_str() {
            "hmac-sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            "hmac-sha224" => hmac::HMAC_SHA224,
            "hmac-sha256" => hmac::HMAC_SHA256,
            "hmac-sha384" => hmac::HMAC_SHA384,
            "hmac-sha512" => hmac::HMAC_SHA512,
            other => return Err(format!("unknown TSIG algorithm: {other}")),
        };
        let secret = STANDARD.decode(secret.trim()).map_err(|_| "TSIG key: not base64".to_owned())?;
        Ok(Self { name: name.to_owned(), algorithm, secret: hmac::Key::new(hash, &secret) })
    }
    /// The message with its signature, and the signature's code, by which the answer's is checked.
    ///
    /// # Errors
    /// A name that is none.
    pub fn sign(&self, message: &Message, now: u64) -> Result<(Vec<u8>, Vec<u8>), String> {
        let mut signed = message.encode()?;
        signed.extend(self.variables(now, FUDGE, 0, &[])?);
        let code = hmac::sign(&self.secret, &signed).as_ref().to_vec();
        let mut data = vec![];
        encode_name(&self.algorithm, &mut data)?;
        data.extend(&now.to_be_bytes()[2..]);
        data.extend(FUDGE.to_be_bytes());
        data.extend(u16::try_from(code.len()).map_err(|error| error.to_string())?.to_be_bytes());
        data.extend(&code);
        data.extend(message.id.to_be_bytes());
        data.extend([0; 4]);
        let mut with = message.clone();
        let record = Record { name: self.name.clone(), kind: kind::TSIG, class: ANY, ttl: 0, data };
        with.additionals.push(record);
        Ok((with.encode()?, code))
    }
    /// Checks an answer to a message whose code was `asked`.
    ///
    /// # Errors
    /// It is not signed, or not by this key, or not now.
    pub fn verify(&self, answer: &[u8], asked: &[u8], now: u64) -> Result<Message, String> {
        let message = Message::decode(answer)?;
        let record = message.additionals.last().filter(|last| last.kind == kind::TSIG);
        let record =
            record.ok_or_else(|| format!("an answer that is not signed: {}", rcode::name(message.code())))?;
        let signature = Signature::read(&record.data).ok_or("the answer's signature is damaged")?;
        if signature.error != 0 {
            return Err(format!("the server refuses the key: {}", refusal(signature.error)));
        }
        // What was signed: the message without the record, which is the last thing in it.
        let mut name = vec![];
        encode_name(&record.name, &mut name)?;
        let length = name.len() + 10 + record.data.len();
        // A compressed name would make it shorter; no server is known to compress this one.
        let mut bare = answer.get(..answer.len().saturating_sub(length)).unwrap_or_default().to_vec();
        let count = u16::try_from(message.additionals.len() - 1).unwrap_or_default();
        if let Some(field) = bare.get_mut(10..12) {
            field.copy_from_slice(&count.to_be_bytes());
        }
        if let Some(field) = bare.get_mut(..2) {
            field.copy_from_slice(&signature.original_id.to_be_bytes());
        }
        let mut signed = u16::try_from(asked.len()).unwrap_or_default().to_be_bytes().to_vec();
        signed.extend(asked);
        signed.extend(bare);
        signed.extend(self.variables(signature.time, signature.fudge, 0, signature.other)?);
        hmac::verify(&self.secret, &signed, signature.code)
            .map_err(|_| "the answer's signature is wrong".to_owned())?;
        if now.abs_diff(signature.time) > signature.fudge.into() {
            return Err("the answer's signature is not of this time".into());
        }
        Ok(message)
    }
    /// What is signed besides the message.
    fn variables(&self, time: u64, fudge: u16, error: u16, other: &[u8]) -> Result<Vec<u8>, String> {
        let mut out = vec![];
        encode_name(&self.name, &mut out)?;
        out.extend(ANY.to_be_bytes());
        out.extend(0_u32.to_be_bytes());
        encode_name(&self.algorithm, &mut out)?;
        out.extend(&time.to_be_bytes()[2..]);
        out.extend(fudge.to_be_bytes());
        out.extend(error.to_be_bytes());
        out.extend(u16::try_from(other.len()).unwrap_or_default().to_be_bytes());
        out.extend(other);
        Ok(out)
    }
}
struct Signature<'a> {
    time: u64,
    fudge: u16,
    code: &'a [u8],
    original_id: u16,
    error: u16,
    other: &'a [u8],
}
impl<'a> Signature<'a> {
    fn read(data: &'a [u8]) -> Option<Self> {
        let mut at = 0;
        // The algorithm's name: it is ours, or the code will not fit.
        while let length @ 1.. = *data.get(at)? {
            at += 1 + usize::from(length);
        }
        let rest = data.get(at + 1..)?;
        let number = |at: usize| Some(u16::from_be_bytes(rest.get(at..at + 2)?.try_into().ok()?));
        let mut time = [0; 8];
        time[2..].copy_from_slice(rest.get(..6)?);
        let length = usize::from(number(8)?);
        let after = 10 + length;
        Some(Self {
            time: u64::from_be_bytes(time),
            fudge: number(6)?,
            code: rest.get(10..after)?,
            original_id: number(after)?,
            error: number(after + 2)?,
            other: rest.get(after + 6..after + 6 + usize::from(number(after + 4)?))?,
        })
    }
}
fn refusal(error: u16) -> String {
    match error {
        16 => "BADSIG (wrong secret)".into(),
        17 => "BADKEY (unknown name or algorithm)".into(),
        18 => "BADTIME (clocks differ)".into(),
        other => format!("code {other}"),
    }
}
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.name)
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> Key {
        Key::new("key.example.", "hmac-sha256.", secret).unwrap()
    }
    /// What a server that knows the key answers.
    fn answer(key: &Key, question: &Message, asked: &[u8], now: u64) -> Vec<u8> {
        let bare = question.reply(0);
        let mut signed = u16::try_from(asked.len()).unwrap().to_be_bytes().to_vec();
        signed.extend(asked);
        signed.extend(bare.encode().unwrap());
        signed.extend(key.variables(now, FUDGE, 0, &[]).unwrap());
        let code = hmac::sign(&key.secret, &signed);
        let mut data = vec![];
        encode_name(&key.algorithm, &mut data).unwrap();
        data.extend(&now.to_be_bytes()[2..]);
        data.extend([FUDGE.to_be_bytes(), 32_u16.to_be_bytes()].concat());
        data.extend(code.as_ref());
        data.extend([question.id.to_be_bytes(), [0; 2], [0; 2]].concat());
        let mut with = bare;
        let record = Record { name: "key.example".into(), kind: kind::TSIG, class: ANY, ttl: 0, data };
        with.additionals.push(record);
        with.encode().unwrap()
    }
    #[test]
    fn an_answer_is_believed_only_if_it_is_signed_for_the_question_and_now() {
        let (ours, question) = (key("c2VjcmV0"), Message::question("a.b", kind::SOA));
        let (_, asked) = ours.sign(&question, 1_000).unwrap();
        let good = answer(&ours, &question, &asked, 1_001);
        assert!(ours.verify(&good, &asked, 1_002).is_ok());
        let wrong = |result: Result<Message, String>| result.unwrap_err();
        assert_eq!(wrong(ours.verify(&good, b"another", 1_002)), "the answer's signature is wrong");
        assert_eq!(wrong(key("b3RoZXI=").verify(&good, &asked, 1_002)), "the answer's signature is wrong");
        assert_eq!(wrong(ours.verify(&good, &asked, 2_000)), "the answer's signature is not of this time");
        let bare = question.reply(5).encode().unwrap();
        assert_eq!(wrong(ours.verify(&bare, &asked, 1_002)), "an answer that is not signed: REFUSED");
    }
    #[test]
    fn what_cannot_sign_is_refused() {
        assert_eq!(Key::new("k", "crc32", "").unwrap_err(), "unknown TSIG algorithm: crc32");
        assert_eq!(Key::new("k", "hmac-sha256", "%").unwrap_err(), "TSIG key: not base64");
    }
}
