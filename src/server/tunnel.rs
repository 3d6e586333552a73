//! Connections that speak another protocol from some point on, a WebSocket above all: bytes both ways until either side
//! ends.
use crate::http::Io;
use bytes::Bytes;
use tokio::io::{self, AsyncRead, AsyncWrite, AsyncWriteExt};

/// `read` is what the client has sent already.
pub(super) async fn between<T: AsyncRead + AsyncWrite + Unpin>(
    mut client: T,
    read: Bytes,
    mut upstream: Box<dyn Io>,
) {
    if !read.is_empty() && upstream.write_all(&read).await.is_err() {
        return;
    }
    // Ends when either side does, or breaks; both are the end of the conversation.
    let _ = io::copy_bidirectional(&mut client, &mut upstream).await;
}
