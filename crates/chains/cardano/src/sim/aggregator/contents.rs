//! What a simulated aggregator has: documents by their path, certificates, files.

use std::collections::BTreeMap;

use bytes::Bytes;
use nodewright_testkit::loopback::{Request, Response};
use serde_json::{Value, json};

use super::refusal;

/// Stands for the server's base address in documents, and is replaced by it when one is served.
pub const BASE: &str = "{{aggregator}}";

/// Holds what is served. Anything else is answered with 404 and an empty body; posts are accepted with 201.
#[derive(Clone, Debug, Default)]
pub struct SimContents {
    documents: BTreeMap<String, Value>,
    files: BTreeMap<String, Bytes>,
    certificates: BTreeMap<String, Value>,
    /// The hashes of certificates, oldest first.
    order: Vec<String>,
    posts: BTreeMap<String, u16>,
}

impl SimContents {
    /// Serves `json` at `path`, which may have a query. [`BASE`] in it is replaced.
    pub fn put(&mut self, path: impl Into<String>, json: Value) {
        self.documents.insert(path.into(), json);
    }

    /// Returns the document at `path`, to be changed.
    pub fn document_mut(&mut self, path: &str) -> Option<&mut Value> {
        self.documents.get_mut(path)
    }

    /// Adds an artifact: in detail at `detail` followed by its hash, and in front of the list at `list`, there without
    /// the fields that are `only_in_detail`.
    pub fn put_artifact(&mut self, list: &str, detail: &str, json: &Value, only_in_detail: &[&str]) {
        let hash = json.get("hash").and_then(Value::as_str).unwrap_or_default();
        self.put(format!("{detail}{hash}"), json.clone());
        let mut line = json.clone();
        if let Some(fields) = line.as_object_mut() {
            fields.retain(|name, _| !only_in_detail.contains(&name.as_str()));
        }
        let listed = self.documents.entry(list.to_owned()).or_insert_with(|| json!([]));
        if let Some(lines) = listed.as_array_mut() {
            lines.insert(0, line);
        }
    }

    /// Adds a certificate as the newest one, by the hash that it states; it is in the list too, and at
    /// `/certificate/genesis` if it has a genesis signature.
    pub fn put_certificate(&mut self, json: Value) {
        let text = |name| json.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let hash = text("hash");
        if !text("genesis_signature").is_empty() {
            self.put("/certificate/genesis", json.clone());
        }
        if self.certificates.insert(hash.clone(), json).is_none() {
            self.order.push(hash);
        }
    }

    /// Returns a certificate.
    #[must_use]
    pub fn certificate(&self, hash: &str) -> Option<&Value> {
        self.certificates.get(hash)
    }

    /// Serves a file; a part of it is sent if that is asked for.
    pub fn put_file(&mut self, path: impl Into<String>, bytes: impl Into<Bytes>) {
        self.files.insert(path.into(), bytes.into());
    }

    /// Answers posts to `path` with this status and an empty body.
    pub fn answer_posts(&mut self, path: impl Into<String>, status: u16) {
        self.posts.insert(path.into(), status);
    }

    pub(super) fn answer(&self, request: &Request) -> Response {
        let path = request.path.as_str();
        if request.method == "POST" {
            return Response::new(self.posts.get(path).copied().unwrap_or(201), "");
        }
        let base = request.header("host").map(|host| format!("http://{host}{}", super::ROOT)).unwrap_or_default();
        if let Some(document) = self.documents.get(path) {
            return Response::json(document.to_string().replace(BASE, &base));
        }
        if path == "/certificates" {
            return Response::json(self.list().to_string());
        }
        let hash = path.strip_prefix("/certificate/").unwrap_or_default();
        match (self.certificates.get(hash), self.files.get(path)) {
            (Some(certificate), _) => Response::json(certificate.to_string()),
            (None, Some(file)) => part_of(file, request),
            (None, None) => refusal(404, "", ""),
        }
    }

    /// Returns the newest certificates without signatures, as the list route has them.
    fn list(&self) -> Value {
        let newest = self.order.iter().rev().take(MOST_LISTED).filter_map(|hash| self.certificates.get(hash));
        newest.map(list_line).collect()
    }
}

fn list_line(certificate: &Value) -> Value {
    let mut line = certificate.clone();
    if let Some(fields) = line.as_object_mut() {
        fields.retain(|name, _| !matches!(name.as_str(), "multi_signature" | "genesis_signature"));
    }
    if let Some(metadata) = line.get_mut("metadata").and_then(Value::as_object_mut) {
        let signers = metadata.remove("signers");
        let count = signers.as_ref().and_then(Value::as_array).map_or(0, Vec::len);
        metadata.insert("total_signers".to_owned(), json!(count));
    }
    line
}

/// Sends a file, or what is behind the first bytes of it.
fn part_of(file: &Bytes, request: &Request) -> Response {
    let tag = format!("\"{}\"", file.len());
    let condition = request.header("if-range").is_none_or(|known| known == tag);
    let range = request.header("range").filter(|_| condition);
    let from = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let response = match from {
        None => Response::new(200, file.clone()),
        Some(from) if from >= file.len() => {
            Response::new(416, "").with_header("content-range", format!("bytes */{}", file.len()))
        }
        Some(from) => {
            let last = file.len().saturating_sub(1);
            let range = format!("bytes {from}-{last}/{}", file.len());
            Response::new(206, file.slice(from..)).with_header("content-range", range)
        }
    };
    response.with_header("etag", tag)
}

/// The header that states a version (`mithril-common` 0.8).
pub(super) const API_VERSION: &str = "mithril-api-version";
/// How many certificates the list has at most (`mithril-aggregator` 0.8).
const MOST_LISTED: usize = 20;
