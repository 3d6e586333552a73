//! Asks one server: over UDP, and over TCP where the answer is too long or does not come.
use super::Message;
use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

/// Per attempt.
const PATIENCE: Duration = Duration::from_secs(5);

/// What `server` says of `name`.
///
/// # Errors
/// No answer, or none that can be read.
pub async fn query(server: SocketAddr, name: &str, kind: u16) -> Result<Message, String> {
    let question = Message::question(name, kind);
    let bytes = exchange(server, question.id, &question.encode()?).await?;
    let answer = Message::decode(&bytes).map_err(|error| format!("{server}: {error}"))?;
    if answer.questions != question.questions {
        return Err(format!("{server}: an answer to another question"));
    }
    Ok(answer)
}
/// Sends a message and gives the answer's bytes, which may be signed.
///
/// # Errors
/// No answer.
pub async fn exchange(server: SocketAddr, id: u16, message: &[u8]) -> Result<Vec<u8>, String> {
    let answer = match timeout(PATIENCE, over_udp(server, id, message)).await {
        Ok(Ok(answer)) if answer.get(2).is_some_and(|flags| flags & 2 == 0) => return Ok(answer),
        Ok(Err(error)) => return Err(format!("{server}: {error}")),
        // Cut short, or lost.
        Ok(Ok(_)) | Err(_) => timeout(PATIENCE, over_tcp(server, id, message)).await,
    };
    let answer = answer.map_err(|_| format!("{server}: no answer within {} s", PATIENCE.as_secs()))?;
    answer.map_err(|error| format!("{server}: {error}"))
}
/// [`exchange`] over TCP alone.
///
/// # Errors
/// No answer.
pub async fn exchange_over(server: SocketAddr, id: u16, message: &[u8]) -> Result<Vec<u8>, String> {
    let answer = timeout(PATIENCE, over_tcp(server, id, message)).await;
    let answer = answer.map_err(|_| format!("{server}: no answer within {} s", PATIENCE.as_secs()))?;
    answer.map_err(|error| format!("{server}: {error}"))
}
fn answers(bytes: &[u8], id: u16) -> bool {
    bytes.starts_with(&id.to_be_bytes()) && bytes.get(2).is_some_and(|flags| flags & 0x80 != 0)
}
async fn over_udp(server: SocketAddr, id: u16, message: &[u8]) -> io::Result<Vec<u8>> {
    let any: SocketAddr =
        if server.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    socket.send(message).await?;
    let mut answer = vec![0; 4096];
    loop {
        let length = socket.recv(&mut answer).await?;
        // What belongs to something else is not for us to judge: the right answer may still come.
        if answers(&answer[..length], id) {
            answer.truncate(length);
            return Ok(answer);
        }
    }
}
async fn over_tcp(server: SocketAddr, id: u16, message: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat()).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; length.into()];
    stream.read_exact(&mut answer).await?;
    if answers(&answer, id) { Ok(answer) } else { Err(io::Error::other("an answer to something else")) }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::dns::{Record, kind, rcode};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn what_is_too_long_for_udp_is_asked_for_over_tcp() {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = udp.local_addr().unwrap();
        let tcp = TcpListener::bind(server).await.unwrap();
        let serve = async {
            let mut buffer = [0; 512];
            let (length, from) = udp.recv_from(&mut buffer).await.unwrap();
            let asked = Message::decode(&buffer[..length]).unwrap();
            let mut cut = asked.reply(rcode::SUCCESS);
            cut.flags |= 0x200;
            // Somebody else's guess comes first.
            let mut forged = cut.clone();
            forged.id ^= 1;
            udp.send_to(&forged.encode().unwrap(), from).await.unwrap();
            udp.send_to(&cut.encode().unwrap(), from).await.unwrap();
            let (mut stream, _) = tcp.accept().await.unwrap();
            let length = stream.read_u16().await.unwrap();
            let mut asked = vec![0; length.into()];
            stream.read_exact(&mut asked).await.unwrap();
            let mut answer = Message::decode(&asked).unwrap().reply(rcode::SUCCESS);
            answer.answers.push(Record::text("a.b", "hello", 1));
            let answer = answer.encode().unwrap();
            stream.write_u16(answer.len().try_into().unwrap()).await.unwrap();
            stream.write_all(&answer).await.unwrap();
        };
        let (answer, ()) = tokio::join!(query(server, "a.b", kind::TXT), serve);
        assert_eq!(answer.unwrap().answers[0].joined(), b"hello");
    }
}
