//! A small DNS server: the zone `example.org`, where everything is at 127.0.0.1, and the texts that a test puts there.
use crate::common::free_port;
use proxy::net::dns::{Message, Record, kind, rcode};
use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::{Arc, Mutex},
    thread,
};

pub(crate) const ZONE: &str = "example.org";

#[derive(Clone)]
pub(crate) struct Zone {
    pub(crate) address: String,
    pub(crate) records: Arc<Mutex<Vec<Record>>>,
}
impl Zone {
    pub(crate) fn start() -> Self {
        let port = free_port();
        let socket = UdpSocket::bind(("127.0.0.1", port)).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let zone = Self { address: format!("127.0.0.1:{port}"), records: Arc::default() };
        let records = zone.records.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                over_tcp(stream, &records).ok();
            }
        });
        let records = zone.records.clone();
        thread::spawn(move || {
            let mut buffer = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let asked = Message::decode(&buffer[..length]).unwrap();
                let answer = answer(&asked, &records.lock().unwrap());
                socket.send_to(&answer.encode().unwrap(), from).ok();
            }
        });
        zone
    }
}
/// How pebble asks.
fn over_tcp(mut stream: TcpStream, records: &Mutex<Vec<Record>>) -> io::Result<()> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut asked = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut asked)?;
    let asked = Message::decode(&asked).unwrap();
    let answer = answer(&asked, &records.lock().unwrap()).encode().unwrap();
    stream.write_all(&[&u16::try_from(answer.len()).unwrap().to_be_bytes(), &answer[..]].concat())
}
fn answer(asked: &Message, records: &[Record]) -> Message {
    let question = &asked.questions[0];
    let name = &question.name;
    let mut answer = asked.reply(rcode::SUCCESS);
    let chosen =
        |record: &&Record| record.name == *name && [question.kind, kind::CNAME].contains(&record.kind);
    answer.answers = records.iter().filter(chosen).cloned().collect();
    match question.kind {
        kind::SOA if name == ZONE => {
            answer.answers.push(Record::of_name(ZONE, kind::SOA, "ns.example.org", 1).unwrap());
        }
        kind::A if answer.answers.is_empty() => {
            answer.answers.push(Record::of_address(name, [127, 0, 0, 1].into(), 1));
        }
        _ => {}
    }
    answer
}
