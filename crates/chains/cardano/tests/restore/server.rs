//! A file server on loopback that can misbehave, and a fetcher that speaks real HTTP to it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use nodewright_cardano::snapshot::{ArtifactBody, ArtifactFetcher, FetchError, OpenArtifact, Resume};
use reqwest::header::{CONTENT_RANGE, ETAG, IF_RANGE, RANGE};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Says how one request is answered badly. The first request for a path takes the first fault of its script.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Announces everything, sends so many bytes, and closes.
    Cut(usize),
    /// Sends so many bytes and resets the connection.
    Reset(usize),
    /// Answers with this status and nothing else.
    Status(u16),
    /// Sends other bytes, as if they were the file.
    Other(Bytes),
    /// Sends the rest of other bytes, of another version, though only the same version was asked for.
    OtherVersion(Bytes),
    /// Sends the whole file with 200 though a range was asked for.
    Whole,
    /// Answers 206 with another range than was asked for.
    OtherRange,
    /// Answers 416 with the length of the file.
    NoRange,
    /// Answers normally.
    None,
}

#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) files: HashMap<String, Bytes>,
    pub(crate) faults: HashMap<String, VecDeque<Fault>>,
    pub(crate) etag: bool,
    /// Every request: its path and the offset that it asked for.
    pub(crate) requests: Vec<(String, Option<u64>)>,
}

pub(crate) struct FileServer {
    pub(crate) url: String,
    pub(crate) shared: Arc<Mutex<Shared>>,
    task: JoinHandle<()>,
}

impl FileServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Mutex::new(Shared { etag: true, ..Shared::default() }));
        let for_task = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&for_task)));
            }
        });
        Self { url, shared, task }
    }

    pub(crate) fn put(&self, path: &str, content: impl Into<Bytes>) {
        self.shared.lock().unwrap().files.insert(path.to_owned(), content.into());
    }

    pub(crate) fn script(&self, path: &str, faults: impl IntoIterator<Item = Fault>) {
        self.shared.lock().unwrap().faults.insert(path.to_owned(), faults.into_iter().collect());
    }

    pub(crate) fn requests_of(&self, path: &str) -> Vec<Option<u64>> {
        let shared = self.shared.lock().unwrap();
        shared.requests.iter().filter(|(asked, _)| asked == path).map(|(_, offset)| *offset).collect()
    }

    pub(crate) fn forget_requests(&self) {
        self.shared.lock().unwrap().requests.clear();
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: TcpStream, shared: Arc<Mutex<Shared>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let header = |name: &str| {
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix(name).map(|rest| rest.trim().to_owned()))
    };
    let asked: Option<usize> = header("range: bytes=").map(|range| range.trim_end_matches('-').parse().unwrap());
    let (file, fault, etag) = {
        let mut shared = shared.lock().unwrap();
        shared.requests.push((path.clone(), asked.map(|offset| u64::try_from(offset).unwrap())));
        let fault = shared.faults.get_mut(&path).and_then(VecDeque::pop_front).unwrap_or(Fault::None);
        (shared.files.get(&path).cloned(), fault, shared.etag)
    };
    let Some(mut file) = file else {
        send(&mut stream, "404 Not Found", &[], b"").await;
        return;
    };
    if let Fault::Other(other) | Fault::OtherVersion(other) = &fault {
        file = other.clone();
    }
    let tag =
        format!("\"{:x}\"", file.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into())));
    let mut headers = Vec::new();
    if etag {
        headers.push(format!("etag: {tag}"));
    }
    let same = header("if-range:").is_none_or(|wanted| wanted == tag) || matches!(fault, Fault::OtherVersion(_));
    let start = asked.filter(|_| same && !matches!(fault, Fault::Whole)).unwrap_or(0);
    if let Fault::Status(status) = fault {
        send(&mut stream, &format!("{status} Nope"), &[], b"").await;
        return;
    }
    if matches!(fault, Fault::NoRange) || start > file.len() || (start == file.len() && start > 0) {
        let range = format!("content-range: bytes */{}", file.len());
        send(&mut stream, "416 Range Not Satisfiable", &[range], b"").await;
        return;
    }
    let status = if start > 0 { "206 Partial Content" } else { "200 OK" };
    if start > 0 {
        let said = if matches!(fault, Fault::OtherRange) { start - 1 } else { start };
        headers.push(format!("content-range: bytes {said}-{}/{}", file.len() - 1, file.len()));
    }
    let body = file.slice(start..);
    match fault {
        Fault::Cut(bytes) | Fault::Reset(bytes) => {
            headers.push(format!("content-length: {}", body.len()));
            let head = format!("HTTP/1.1 {status}\r\n{}\r\n\r\n", headers.join("\r\n"));
            let sent = [head.as_bytes(), &body[..bytes.min(body.len())]].concat();
            drop(stream.write_all(&sent).await);
            drop(stream.flush().await);
            if matches!(fault, Fault::Reset(_)) {
                // What was sent shall arrive before the reset does.
                tokio::time::sleep(Duration::from_millis(20)).await;
                drop(stream.set_zero_linger());
            }
        }
        _ => send(&mut stream, status, &headers, &body).await,
    }
}

async fn send(stream: &mut TcpStream, status: &str, headers: &[String], body: &[u8]) {
    let mut head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    drop(stream.write_all(&[head.as_bytes(), body].concat()).await);
    drop(stream.shutdown().await);
}

pub(crate) struct HttpFetcher(reqwest::Client);

impl HttpFetcher {
    pub(crate) fn new() -> Self {
        Self(reqwest::Client::builder().no_proxy().build().unwrap())
    }
}

#[async_trait]
impl ArtifactFetcher for HttpFetcher {
    async fn open(&self, uri: &str, resume: Option<&Resume>) -> Result<OpenArtifact, FetchError> {
        let mut request = self.0.get(uri);
        if let Some(resume) = resume {
            request = request.header(RANGE, format!("bytes={}-", resume.offset));
            if let Some(validator) = &resume.validator {
                request = request.header(IF_RANGE, validator);
            }
        }
        let transport = |error: reqwest::Error| FetchError::Transport { reason: error.to_string() };
        let response = request.send().await.map_err(transport)?;
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let range = text(CONTENT_RANGE);
        let total = range.as_deref().and_then(|range| range.rsplit('/').next()?.parse().ok());
        let validator = text(ETAG);
        let (start, total) = match response.status().as_u16() {
            200 => (0, response.content_length()),
            206 => {
                let start =
                    range.as_deref().and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse().ok());
                (start.ok_or_else(|| FetchError::Protocol { reason: "no range".to_owned() })?, total)
            }
            416 => return Err(FetchError::Range { total }),
            status => return Err(FetchError::Status { status }),
        };
        Ok(OpenArtifact { start, total, validator, body: Box::new(Body(response)) })
    }
}

struct Body(reqwest::Response);

#[async_trait]
impl ArtifactBody for Body {
    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        self.0.chunk().await.map_err(|error| FetchError::Transport { reason: error.to_string() })
    }
}
