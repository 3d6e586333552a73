//! Messages, from and to bytes. What comes from the network may be anything: every length is checked, and a name cannot
//! point forward.
use std::net::IpAddr;

/// Types of records.
pub mod kind {
    pub const A: u16 = 1;
    pub const NS: u16 = 2;
    pub const CNAME: u16 = 5;
    pub const SOA: u16 = 6;
    pub const TXT: u16 = 16;
    pub const AAAA: u16 = 28;
    pub const SRV: u16 = 33;
    pub const OPT: u16 = 41;
    pub const TSIG: u16 = 250;
}
/// How a server answers.
pub mod rcode {
    pub const SUCCESS: u16 = 0;
    pub const SERVER_FAILURE: u16 = 2;
    pub const NO_SUCH_NAME: u16 = 3;

    /// As tools call it.
    pub fn name(code: u16) -> String {
        match code {
            SUCCESS => "NOERROR".into(),
            1 => "FORMERR".into(),
            SERVER_FAILURE => "SERVFAIL".into(),
            NO_SUCH_NAME => "NXDOMAIN".into(),
            4 => "NOTIMP".into(),
            5 => "REFUSED".into(),
            9 => "NOTAUTH".into(),
            10 => "NOTZONE".into(),
            other => other.to_string(),
        }
    }
}
const INTERNET: u16 = 1;
const RESPONSE: u16 = 0x8000;
const TRUNCATED: u16 = 0x0200;
const RECURSION_DESIRED: u16 = 0x0100;
/// A name has at most this many labels.
const LABELS: usize = 128;
/// What stands before the name in an SRV record, in bytes.
const SERVICE: usize = 6;
const CUT: &str = "DNS message is cut short";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub id: u16,
    /// Operation, flags and code, as they are in the header.
    pub flags: u16,
    pub questions: Vec<Question>,
    pub answers: Vec<Record>,
    pub authorities: Vec<Record>,
    pub additionals: Vec<Record>,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// In lower case, without the last dot.
    pub name: String,
    pub kind: u16,
    pub class: u16,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// In lower case, without the last dot.
    pub name: String,
    pub kind: u16,
    pub class: u16,
    /// Seconds.
    pub ttl: u32,
    /// A name at its start is whole, not compressed.
    pub data: Vec<u8>,
}
impl Message {
    /// A question, with room for answers beyond 512 bytes (RFC 6891).
    pub fn question(name: &str, kind: u16) -> Self {
        let room = Record { name: String::new(), kind: kind::OPT, class: 1232, ttl: 0, data: vec![] };
        Self {
            id: fastrand::u16(..),
            flags: RECURSION_DESIRED,
            questions: vec![Question { name: clean(name), kind, class: INTERNET }],
            additionals: vec![room],
            ..Self::default()
        }
    }
    /// An answer to this question, with nothing in it yet.
    #[must_use]
    pub fn reply(&self, code: u16) -> Self {
        let flags = RESPONSE | self.flags & RECURSION_DESIRED | code;
        Self { id: self.id, flags, questions: self.questions.clone(), ..Self::default() }
    }
    /// See [`rcode`].
    pub fn code(&self) -> u16 {
        self.flags & 15
    }
    pub fn is_response(&self) -> bool {
        self.flags & RESPONSE != 0
    }
    pub fn is_truncated(&self) -> bool {
        self.flags & TRUNCATED != 0
    }
    /// The answers of a type.
    pub fn found(&self, kind: u16) -> impl Iterator<Item = &Record> {
        self.answers.iter().filter(move |record| record.kind == kind)
    }
    /// # Errors
    /// A name that is none.
    pub fn encode(&self) -> Result<Vec<u8>, String> {
        let mut out = vec![];
        let count = |length: usize| u16::try_from(length).map_err(|_| "too many records".to_owned());
        let counts = [
            count(self.questions.len())?,
            count(self.answers.len())?,
            count(self.authorities.len())?,
            count(self.additionals.len())?,
        ];
        for number in [self.id, self.flags].into_iter().chain(counts) {
            out.extend(number.to_be_bytes());
        }
        for question in &self.questions {
            encode_name(&question.name, &mut out)?;
            out.extend(question.kind.to_be_bytes());
            out.extend(question.class.to_be_bytes());
        }
        for record in self.answers.iter().chain(&self.authorities).chain(&self.additionals) {
            record.encode(&mut out)?;
        }
        Ok(out)
    }
    /// # Errors
    /// It is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut reader = Reader { bytes, at: 0 };
        let mut header = [0; 6];
        for number in &mut header {
            *number = reader.u16()?;
        }
        let [id, flags, questions, answers, authorities, additionals] = header;
        let question = |reader: &mut Reader<'_>| {
            Ok::<_, String>(Question { name: reader.name()?, kind: reader.u16()?, class: reader.u16()? })
        };
        let mut message = Self { id, flags, ..Self::default() };
        for _ in 0..questions {
            message.questions.push(question(&mut reader)?);
        }
        for (count, into) in [
            (answers, &mut message.answers),
            (authorities, &mut message.authorities),
            (additionals, &mut message.additionals),
        ] {
            for _ in 0..count {
                into.push(reader.record()?);
            }
        }
        Ok(message)
    }
}
impl Record {
    /// A TXT record; its text is split where it is longer than a string may be.
    pub fn text(name: &str, text: &str, ttl: u32) -> Self {
        let mut data = vec![];
        for part in text.as_bytes().chunks(255) {
            data.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
            data.extend(part);
        }
        Self { name: clean(name), kind: kind::TXT, class: INTERNET, ttl, data }
    }
    /// An A or AAAA record.
    pub fn of_address(name: &str, address: IpAddr, ttl: u32) -> Self {
        let (kind, data) = match address {
            IpAddr::V4(v4) => (kind::A, v4.octets().to_vec()),
            IpAddr::V6(v6) => (kind::AAAA, v6.octets().to_vec()),
        };
        Self { name: clean(name), kind, class: INTERNET, ttl, data }
    }
    /// A record whose data is a name: NS, CNAME.
    ///
    /// # Errors
    /// The name is none.
    pub fn of_name(name: &str, kind: u16, target: &str, ttl: u32) -> Result<Self, String> {
        let mut data = vec![];
        encode_name(target, &mut data)?;
        Ok(Self { name: clean(name), kind, class: INTERNET, ttl, data })
    }
    /// The name that an NS, CNAME or SOA record's data begins with, or that an SRV record's ends with.
    pub fn target(&self) -> Option<String> {
        let at = if self.kind == kind::SRV { SERVICE } else { 0 };
        Reader { bytes: &self.data, at }.name().ok()
    }
    /// The address of an A or AAAA record.
    pub fn address(&self) -> Option<IpAddr> {
        match self.kind {
            kind::A => <[u8; 4]>::try_from(&*self.data).ok().map(IpAddr::from),
            kind::AAAA => <[u8; 16]>::try_from(&*self.data).ok().map(IpAddr::from),
            _ => None,
        }
    }
    /// Priority, weight and port of an SRV record (RFC 2782).
    pub fn service(&self) -> Option<[u16; 3]> {
        let mut reader = Reader { bytes: &self.data, at: 0 };
        Some([reader.u16().ok()?, reader.u16().ok()?, reader.u16().ok()?])
    }
    /// The strings of a TXT record, joined.
    pub fn joined(&self) -> Vec<u8> {
        let (mut joined, mut rest) = (vec![], &self.data[..]);
        while let Some((&length, more)) = rest.split_first() {
            let length = usize::from(length).min(more.len());
            joined.extend(&more[..length]);
            rest = &more[length..];
        }
        joined
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), String> {
        encode_name(&self.name, out)?;
        out.extend(self.kind.to_be_bytes());
        out.extend(self.class.to_be_bytes());
        out.extend(self.ttl.to_be_bytes());
        let length = u16::try_from(self.data.len()).map_err(|_| "record is too long".to_owned())?;
        out.extend(length.to_be_bytes());
        out.extend(&self.data);
        Ok(())
    }
}
/// As wire format has it: labels with their lengths, lower case, not compressed.
///
/// # Errors
/// A label is empty or too long.
pub fn encode_name(name: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let name = clean(name);
    for label in name.split('.').filter(|_| !name.is_empty()) {
        match u8::try_from(label.len()) {
            Ok(length @ 1..=63) => out.push(length),
            _ => return Err(format!("not a domain name: {name}")),
        }
        out.extend(label.as_bytes());
    }
    out.push(0);
    Ok(())
}
fn clean(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}
impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(length).ok_or(CUT)?;
        let taken = self.bytes.get(self.at..end).ok_or(CUT)?;
        self.at = end;
        Ok(taken)
    }
    fn u8(&mut self) -> Result<u8, String> {
        self.take(1)?.first().copied().ok_or_else(|| CUT.into())
    }
    fn u16(&mut self) -> Result<u16, String> {
        Ok(u16::from_be_bytes(self.take(2)?.try_into().map_err(|_| CUT)?))
    }
    fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from_be_bytes(self.take(4)?.try_into().map_err(|_| CUT)?))
    }
    /// A name that may go on elsewhere, always further back.
    fn name(&mut self) -> Result<String, String> {
        let (mut name, mut back) = (String::new(), None);
        for _ in 0..LABELS {
            let start = self.at;
            match self.u8()? {
                0 => {
                    self.at = back.unwrap_or(self.at);
                    return Ok(name);
                }
                length @ 1..=63 => {
                    let label = self.take(length.into())?;
                    if !name.is_empty() {
                        name.push('.');
                    }
                    name.push_str(&String::from_utf8_lossy(label).to_ascii_lowercase());
                }
                high @ 192.. => {
                    let to = usize::from(u16::from_be_bytes([high & 63, self.u8()?]));
                    if to >= start {
                        return Err("DNS name points forward".into());
                    }
                    back.get_or_insert(self.at);
                    self.at = to;
                }
                _ => return Err("DNS label of an unknown kind".into()),
            }
        }
        Err("DNS name has too many labels".into())
    }
    fn record(&mut self) -> Result<Record, String> {
        let name = self.name()?;
        let (kind, class, ttl) = (self.u16()?, self.u16()?, self.u32()?);
        let length = usize::from(self.u16()?);
        let start = self.at;
        let raw = self.take(length)?;
        let data = match kind {
            kind::NS | kind::CNAME | kind::SOA => {
                let mut inner = Reader { bytes: &self.bytes[..start + length], at: start };
                let mut data = vec![];
                encode_name(&inner.name()?, &mut data)?;
                data
            }
            kind::SRV => {
                let mut inner = Reader { bytes: &self.bytes[..start + length], at: start };
                let mut data = inner.take(SERVICE)?.to_vec();
                encode_name(&inner.name()?, &mut data)?;
                data
            }
            _ => raw.to_vec(),
        };
        Ok(Record { name, kind, class, ttl, data })
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_message_is_what_it_was_after_both_ways() {
        let question = Message::question("_acme-challenge.Example.com.", kind::TXT);
        let mut answer = question.reply(rcode::SUCCESS);
        answer.answers.push(Record::text("_acme-challenge.example.com", &"x".repeat(300), 60));
        answer.authorities.push(Record::of_name("example.com", kind::NS, "ns.example.com", 60).unwrap());
        let again = Message::decode(&answer.encode().unwrap()).unwrap();
        assert_eq!(again, answer);
        assert_eq!(again.questions[0].name, "_acme-challenge.example.com");
        assert_eq!(again.answers[0].joined().len(), 300);
        assert_eq!(again.authorities[0].target().as_deref(), Some("ns.example.com"));
    }
    #[test]
    fn a_compressed_name_is_followed_back_but_never_forward() {
        // RFC 1035, section 4.1.4: the answer's name points at the question's.
        let mut bytes = Message::question("a.b", kind::CNAME).reply(0).encode().unwrap();
        bytes[7] = 1;
        bytes.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 4, 1, b'c', 0xc0, 14]);
        let message = Message::decode(&bytes).unwrap();
        assert_eq!((&*message.answers[0].name, message.answers[0].target().as_deref()), ("a.b", Some("c.b")));
        let at = bytes.len() - 16;
        bytes[at + 1] = u8::try_from(at).unwrap();
        assert!(Message::decode(&bytes).is_err());
    }
    #[test]
    fn names_that_are_none_are_refused() {
        for name in ["a..b", &"x".repeat(64)] {
            assert!(encode_name(name, &mut vec![]).is_err(), "{name}");
        }
    }
    proptest! {
        #[test]
        fn no_bytes_make_it_fall(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            Message::decode(&bytes).ok();
        }
    }
}
