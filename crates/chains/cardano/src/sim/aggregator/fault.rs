//! What can be wrong with a simulated aggregator.

use nodewright_testkit::loopback::Response;
use serde_json::{Value, json};

use super::contents::SimContents;
use super::refusal;

/// Says what is wrong with the answers of a path. The last six are lies about certificates, for paths below
/// `/certificate/`; nothing else is changed by them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SimFault {
    /// The body is no JSON.
    Garbage,
    /// The body has so many bytes.
    Huge(usize),
    /// The answer never comes.
    Stall,
    /// The request is refused with this status, label and message; from 500 on there is no label.
    Status {
        /// Is the status.
        status: u16,
        /// Is the label.
        label: String,
    },
    /// A certificate states another version of the protocol than its hash covers.
    AlteredContent,
    /// A certificate certifies something of a kind that is not known.
    FutureEntity,
    /// A certificate is hashed by a scheme that is not known.
    FutureScheme,
    /// A certificate has fields of a later format alone.
    FutureFormat,
    /// A certificate names itself as its previous one.
    Loop,
    /// The previous certificate is served in the place of the one asked for.
    Substitute,
}

impl SimFault {
    /// Makes a refusal with a status.
    #[must_use]
    pub fn status(status: u16, label: impl Into<String>) -> Self {
        Self::Status { status, label: label.into() }
    }

    /// Returns what is answered instead of `honest`.
    pub(super) fn spoil(&self, path: &str, contents: &SimContents, honest: Response) -> Response {
        match self {
            Self::Garbage => Response::json("<html>no aggregator</html>"),
            Self::Huge(bytes) => Response::json(vec![b' '; *bytes]),
            Self::Stall => honest,
            Self::Status { status, label } => refusal(*status, label, "planted"),
            _ => match (path.starts_with(CERTIFICATE), serde_json::from_slice(&honest.body)) {
                (true, Ok(certificate)) => self.lie(certificate, contents).unwrap_or(honest),
                _ => honest,
            },
        }
    }

    fn lie(&self, mut certificate: Value, contents: &SimContents) -> Option<Response> {
        match self {
            Self::AlteredContent => *certificate.get_mut("metadata")?.get_mut("version")? = json!("7.7.7"),
            Self::FutureEntity => *certificate.get_mut("signed_entity_type")? = json!({ "LeiosBlocks": [1, 2] }),
            Self::FutureFormat => certificate = json!({ "certificate_of_2030": { "proof": "00" } }),
            Self::FutureScheme => {
                certificate
                    .get_mut("protocol_message")?
                    .as_object_mut()?
                    .insert("hash_scheme".to_owned(), json!("rigid"));
            }
            Self::Loop => *certificate.get_mut("previous_hash")? = certificate.get("hash")?.clone(),
            Self::Substitute => {
                certificate = contents.certificate(certificate.get("previous_hash")?.as_str()?)?.clone()
            }
            Self::Garbage | Self::Huge(_) | Self::Stall | Self::Status { .. } => return None,
        }
        Some(Response::json(certificate.to_string()))
    }
}

const CERTIFICATE: &str = "/certificate/";
