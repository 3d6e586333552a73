//! Parts of a file as a body, read beside the workers.
use super::condition::Part;
use crate::http::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::{
    collections::VecDeque,
    fs::File,
    future::Future,
    io,
    os::unix::fs::FileExt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::task::{JoinHandle, spawn_blocking};

/// At most two of these are in memory: one on its way to the client, and the next one.
const CHUNK: u64 = 128 * 1024;

pub(super) enum Piece {
    Text(Bytes),
    File(Part),
}
pub(super) struct FileBody {
    file: Arc<File>,
    /// What is still to come, without what is being read.
    pieces: VecDeque<Piece>,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    /// In bytes, all of it.
    left: u64,
}
impl FileBody {
    pub(super) fn new(file: File, pieces: impl IntoIterator<Item = Piece>) -> Self {
        let pieces: VecDeque<Piece> = pieces.into_iter().collect();
        let left = pieces.iter().map(Piece::length).sum();
        Self { file: Arc::new(file), pieces, reading: None, left }
    }
    /// The next text, or (with nothing) a piece of the file, which is being read from now on.
    fn next(&mut self) -> Option<Bytes> {
        match self.pieces.pop_front()? {
            Piece::Text(text) => Some(text),
            Piece::File(part) => {
                let length = part.length.min(CHUNK);
                if part.length > length {
                    let rest = Part { start: part.start + length, length: part.length - length };
                    self.pieces.push_front(Piece::File(rest));
                }
                let file = self.file.clone();
                self.reading = Some(spawn_blocking(move || read(&file, part.start, length)));
                None
            }
        }
    }
}
impl Piece {
    fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::File(part) => part.length,
        }
    }
}
/// Exactly that many bytes.
///
/// # Errors
/// There are fewer: the file has been cut short meanwhile, and so is the response.
pub(super) fn read(file: &File, start: u64, length: u64) -> io::Result<Bytes> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, start)?;
    Ok(bytes.into())
}
impl Body for FileBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        while this.left > 0 {
            let bytes = match &mut this.reading {
                None => this.next(),
                Some(reading) => {
                    let bytes = ready!(Pin::new(reading).poll(cx))??;
                    this.reading = None;
                    // The next piece is read while this one is sent.
                    if matches!(this.pieces.front(), Some(Piece::File(_))) {
                        this.next();
                    }
                    Some(bytes)
                }
            };
            if let Some(bytes) = bytes {
                this.left = this.left.saturating_sub(bytes.len() as u64);
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
        Poll::Ready(None)
    }
    fn is_end_stream(&self) -> bool {
        self.left == 0
    }
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use std::io::Write;

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }
    #[tokio::test]
    async fn pieces_come_in_their_order() {
        let content: Vec<u8> = (0..3 * CHUNK as usize + 7).map(|n| (n % 251) as u8).collect();
        let part = |start, length| Piece::File(Part { start, length });
        let pieces = [part(1, 5), Piece::Text(Bytes::from_static(b"--")), part(0, content.len() as u64)];
        let body = FileBody::new(file(&content), pieces);
        assert_eq!(body.size_hint().exact(), Some(content.len() as u64 + 7));
        let whole = body.collect().await.unwrap().to_bytes();
        assert_eq!(&whole[..7], [&content[1..6], b"--"].concat());
        assert_eq!(&whole[7..], content);
    }
    #[tokio::test]
    async fn a_file_that_has_been_cut_short_breaks_the_response() {
        let part = Part { start: 0, length: 10 };
        assert!(FileBody::new(file(b"short"), [Piece::File(part)]).collect().await.is_err());
    }
}
