//! A door in front of one or two nodes, which lets them fail, lie and disagree.

#![allow(dead_code)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use nodewright_testkit::loopback::{HttpServer, Request, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Passes requests on to its nodes in turn.
pub(crate) struct Front {
    server: HttpServer,
    pub(crate) state: Arc<State>,
}

/// Says how the door behaves.
#[derive(Default)]
pub(crate) struct State {
    /// Holds the port and cookie file of each node.
    pub(crate) nodes: Mutex<Vec<(u16, PathBuf)>>,
    turn: AtomicUsize,
    /// Is how many of the next requests are refused.
    pub(crate) refuse: AtomicU32,
    /// Whether headers are edited on the way.
    pub(crate) edit: AtomicBool,
}

impl Front {
    pub(crate) fn of(port: u16, cookie: PathBuf) -> Self {
        let state = Arc::new(State { nodes: Mutex::new(vec![(port, cookie)]), ..State::default() });
        let shared = Arc::clone(&state);
        let server = HttpServer::start(move |request| {
            let state = Arc::clone(&shared);
            async move { state.answer(request).await }
        });
        Self { server: server.unwrap(), state }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }
}

impl State {
    async fn answer(&self, request: Request) -> Response {
        if self.refuse.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Response::new(503, "Work queue depth exceeded");
        }
        let (port, cookie) = {
            let nodes = self.nodes.lock().unwrap();
            nodes[self.turn.fetch_add(1, SeqCst) % nodes.len()].clone()
        };
        let (status, mut body) = pass_on(port, &std::fs::read_to_string(cookie).unwrap(), &request).await;
        if self.edit.load(SeqCst) {
            edit(&request, &mut body);
        }
        Response::new(status, body)
    }
}

/// Changes the time in every header but the one that was asked for by its hash.
fn edit(request: &Request, body: &mut [u8]) {
    if request.path.starts_with("/rest/headers/") {
        body.chunks_mut(80).skip(1).for_each(|header| header[68] ^= 1);
    } else if request.method == "POST" {
        let quotes: Vec<_> = (0..body.len()).filter(|at| body[*at] == b'"').collect();
        for pair in quotes.windows(2).filter(|pair| pair[1] - pair[0] == 161) {
            let digit = &mut body[pair[0] + 1 + 136];
            *digit = if *digit == b'0' { b'1' } else { b'0' };
        }
    }
}

async fn pass_on(port: u16, cookie: &str, request: &Request) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let head = format!(
        "{} {} HTTP/1.1\r\nHost: node\r\nConnection: close\r\nAuthorization: Basic {}\r\nContent-Length: {}\r\n\r\n",
        request.method,
        request.path,
        base64(cookie.trim().as_bytes()),
        request.body.len(),
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&request.body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
    (status, answer.split_off(end + 4))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
