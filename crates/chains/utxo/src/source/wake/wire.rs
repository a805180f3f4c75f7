//! The subscriber's side of ZMTP 3.0 with the NULL mechanism.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};

/// Reads the messages of one publisher.
#[derive(Debug)]
pub(super) struct Subscriber<S> {
    stream: BufReader<S>,
}

/// Holds what is kept of a message: its first frame, and the counter that its last frame holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Is the first frame, cut to [`MAX_TOPIC`] bytes.
    pub(super) topic: Vec<u8>,
    /// Is the last frame, where that is a third or later one of four bytes, little-endian.
    pub(super) counter: Option<u32>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Subscriber<S> {
    /// Greets the publisher and subscribes to `topics`.
    ///
    /// # Errors
    /// `InvalidData` if the peer speaks another protocol or mechanism; what the stream says.
    pub(super) async fn open<'a>(mut stream: S, topics: impl Iterator<Item = &'a [u8]>) -> io::Result<Self> {
        stream.write_all(&greeting()).await?;
        stream.write_all(READY).await?;
        let mut subscriber = Self { stream: BufReader::new(stream) };
        let mut theirs = [0; GREETING];
        subscriber.stream.read_exact(&mut theirs).await?;
        check_greeting(&theirs)?;
        let ready = subscriber.frame_header().await?;
        if !ready.command {
            return Err(invalid("no READY command"));
        }
        subscriber.skip(ready.len).await?;
        for topic in topics {
            let len = u8::try_from(topic.len().saturating_add(1)).map_err(|_| invalid("topic is too long"))?;
            let frame = [&[0, len, SUBSCRIBE][..], topic].concat();
            subscriber.stream.write_all(&frame).await?;
        }
        subscriber.stream.flush().await?;
        Ok(subscriber)
    }

    /// Reads the next message. However large it is, only topic and counter are kept.
    ///
    /// # Errors
    /// `InvalidData` for more than [`MAX_FRAMES`] frames, or reserved flags; what the stream says.
    pub(super) async fn message(&mut self) -> io::Result<Message> {
        let mut message = Message { topic: Vec::new(), counter: None };
        for index in 0..MAX_FRAMES {
            let frame = self.frame_header().await?;
            if frame.command && index == 0 {
                self.skip(frame.len).await?;
                return Box::pin(self.message()).await;
            }
            message.counter = None;
            if index == 0 {
                let kept = frame.len.min(MAX_TOPIC);
                message.topic = vec![0; usize::try_from(kept).unwrap_or_default()];
                self.stream.read_exact(&mut message.topic).await?;
                self.skip(frame.len.saturating_sub(kept)).await?;
            } else if index >= 2 && frame.len == 4 {
                message.counter = Some(self.stream.read_u32_le().await?);
            } else {
                self.skip(frame.len).await?;
            }
            if !frame.more {
                return Ok(message);
            }
        }
        Err(invalid("too many frames"))
    }

    async fn frame_header(&mut self) -> io::Result<FrameHeader> {
        let flags = self.stream.read_u8().await?;
        if flags & !(MORE | LONG | COMMAND) != 0 {
            return Err(invalid("reserved flags are set"));
        }
        let len = match flags & LONG {
            0 => self.stream.read_u8().await?.into(),
            _ => self.stream.read_u64().await?,
        };
        Ok(FrameHeader { more: flags & MORE != 0, command: flags & COMMAND != 0, len })
    }

    /// Reads `len` bytes and forgets them.
    async fn skip(&mut self, len: u64) -> io::Result<()> {
        let skipped = tokio::io::copy(&mut (&mut self.stream).take(len), &mut tokio::io::sink()).await?;
        if skipped == len { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

#[derive(Clone, Copy, Debug)]
struct FrameHeader {
    more: bool,
    command: bool,
    len: u64,
}

/// Writes our greeting: signature, version 3.0, mechanism NULL, not a server, filler.
fn greeting() -> [u8; GREETING] {
    let mut greeting = [0; GREETING];
    for (at, byte) in [(0, 0xff), (9, 0x7f), (10, 3), (12, b'N'), (13, b'U'), (14, b'L'), (15, b'L')] {
        if let Some(place) = greeting.get_mut(at) {
            *place = byte;
        }
    }
    greeting
}

fn check_greeting(theirs: &[u8; GREETING]) -> io::Result<()> {
    match theirs {
        [0xff, _, _, _, _, _, _, _, _, 0x7f, (3..), _, b'N', b'U', b'L', b'L', 0, ..] => Ok(()),
        [0xff, _, _, _, _, _, _, _, _, 0x7f, (3..), ..] => Err(invalid("the mechanism is not NULL")),
        [0xff, _, _, _, _, _, _, _, _, 0x7f, ..] => Err(invalid("the version is below 3.0")),
        _ => Err(invalid("not a ZMTP peer")),
    }
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// Is the length of a greeting in bytes (ZMTP 3.0, "greeting"; so are the other numbers here from that document).
const GREETING: usize = 64;

/// Is our READY command with one property: `Socket-Type` is `SUB`.
const READY: &[u8] = b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB";

/// Begins a message that subscribes.
const SUBSCRIBE: u8 = 1;

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// Is how much of a topic is kept: nodes' longest is `rawinstantsenddoublespend`, 25 bytes.
const MAX_TOPIC: u64 = 64;

/// Is the most frames of a message: nodes send three.
const MAX_FRAMES: usize = 16;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    /// Speaks as a publisher: a greeting, a READY command, and whatever comes then.
    fn publisher(mechanism: &[u8; 4], then: &[u8]) -> Vec<u8> {
        let mut bytes = greeting().to_vec();
        bytes[11] = 1;
        bytes[12..16].copy_from_slice(mechanism);
        bytes.extend(b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03PUB");
        bytes.extend(then);
        bytes
    }

    async fn read(bytes: Vec<u8>) -> io::Result<Vec<Message>> {
        let (ours, mut theirs) = tokio::io::duplex(1 << 20);
        theirs.write_all(&bytes).await?;
        theirs.shutdown().await?;
        let mut subscriber = Subscriber::open(ours, [b"hash".as_slice()].into_iter()).await?;
        let mut messages = Vec::new();
        loop {
            match subscriber.message().await {
                Ok(message) => messages.push(message),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(messages),
                Err(error) => return Err(error),
            }
        }
    }

    #[tokio::test]
    async fn a_message_of_three_frames_gives_topic_and_counter() {
        let bytes = publisher(b"NULL", b"\x01\x09hashblock\x01\x02hi\x00\x04\x07\x01\x00\x00");
        let topic = b"hashblock".to_vec();
        assert_eq!(read(bytes).await.unwrap(), [Message { topic, counter: Some(0x107) }]);
    }

    #[tokio::test]
    async fn a_large_body_is_passed_over_and_commands_between_messages_too() {
        let mut then = b"\x04\x05\x04PING\x01\x08rawblock\x03\x00\x00\x00\x00\x00\x03\x00\x00".to_vec();
        then.extend(vec![0xaa; 0x30000]);
        then.extend(b"\x00\x04\x09\x00\x00\x00");
        let topic = b"rawblock".to_vec();
        assert_eq!(read(publisher(b"NULL", &then)).await.unwrap(), [Message { topic, counter: Some(9) }]);
    }

    #[tokio::test]
    async fn a_length_that_no_memory_holds_is_the_end_of_the_connection_and_not_of_the_process() {
        let then = b"\x03\xff\xff\xff\xff\xff\xff\xff\xffabc";
        assert_eq!(read(publisher(b"NULL", then)).await.unwrap(), []);
    }

    #[tokio::test]
    async fn other_protocols_and_mechanisms_are_refused() {
        let refused = |bytes| async { read(bytes).await.unwrap_err().kind() };
        assert_eq!(refused(publisher(b"CURV", b"")).await, io::ErrorKind::InvalidData);
        let mut old = publisher(b"NULL", b"");
        old[10] = 1;
        assert_eq!(refused(old).await, io::ErrorKind::InvalidData);
        let http = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec();
        assert_eq!(refused(http).await, io::ErrorKind::InvalidData);
        assert_eq!(refused(publisher(b"NULL", b"\x08\x00")).await, io::ErrorKind::InvalidData);
        assert_eq!(refused(publisher(b"NULL", &b"\x01\x00".repeat(20))).await, io::ErrorKind::InvalidData);
    }
}
