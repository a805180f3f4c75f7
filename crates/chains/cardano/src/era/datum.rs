//! The payload as a datum: constructor 0 with byte strings of 64 bytes, in CBOR and in the JSON of `cardano-cli`.

use pallas_codec::minicbor::data::{Tag, Type};
use pallas_codec::minicbor::decode::Error as CborError;
use pallas_codec::minicbor::{Decoder, Encoder};
use serde::{Deserialize, Serialize};

use super::MarkersPayload;
use crate::node::RawDatum;

/// Is a datum of Mithril: bytes of any meaning, cut into pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkersDatum {
    payload: Vec<u8>,
}

impl MarkersDatum {
    /// Takes the payload.
    ///
    /// # Errors
    /// [`DatumError::TooLong`].
    pub fn try_new(payload: impl Into<Vec<u8>>) -> Result<Self, DatumError> {
        let payload = payload.into();
        if payload.len() > MarkersPayload::MAX_JSON { Err(DatumError::TooLong) } else { Ok(Self { payload }) }
    }

    /// Reads a datum in either form.
    ///
    /// # Errors
    /// [`DatumError`].
    pub fn read(raw: &RawDatum) -> Result<Self, DatumError> {
        match raw {
            RawDatum::Cbor(bytes) => Self::from_cbor(bytes),
            RawDatum::Json(json) => Self::from_cli_json(json),
        }
    }

    /// Reads the CBOR of the ledger: tag 121 and a list of byte strings, of stated length or not.
    ///
    /// # Errors
    /// [`DatumError`].
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, DatumError> {
        let mut decoder = Decoder::new(bytes);
        if decoder.tag()? != Tag::new(CONSTRUCTOR_0) {
            return Err(DatumError::Constructor);
        }
        let mut left = decoder.array()?;
        let mut payload = Vec::new();
        loop {
            match left {
                Some(0) => break,
                Some(many) => left = Some(many - 1),
                None if decoder.datatype()? == Type::Break => {
                    decoder.skip()?;
                    break;
                }
                None => {}
            }
            if !matches!(decoder.datatype()?, Type::Bytes | Type::BytesIndef) {
                return Err(DatumError::Field);
            }
            for piece in decoder.bytes_iter()? {
                extend(&mut payload, piece?)?;
            }
        }
        if decoder.position() == bytes.len() { Self::try_new(payload) } else { Err(DatumError::Trailing) }
    }

    /// Reads the detailed JSON of `cardano-cli`, `{"constructor":0,"fields":[{"bytes":"…"},…]}`.
    ///
    /// # Errors
    /// [`DatumError`].
    pub fn from_cli_json(json: &str) -> Result<Self, DatumError> {
        if json.len() > MAX_CLI_JSON {
            return Err(DatumError::TooLong);
        }
        let malformed = |reason: String| DatumError::Json { reason };
        let datum: CliDatum = serde_json::from_str(json).map_err(|error| malformed(error.to_string()))?;
        if datum.constructor != 0 {
            return Err(DatumError::Constructor);
        }
        let mut payload = Vec::new();
        for field in datum.fields {
            let piece = hex::decode(field.bytes).map_err(|error| malformed(error.to_string()))?;
            extend(&mut payload, &piece)?;
        }
        Self::try_new(payload)
    }

    /// Returns the CBOR that the ledger stores when `cardano-cli` is given [`MarkersDatum::to_cli_json`].
    #[must_use]
    pub fn to_cbor(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes);
        let mut write = || {
            encoder.tag(Tag::new(CONSTRUCTOR_0))?.begin_array()?;
            for piece in self.payload.chunks(PIECE) {
                encoder.bytes(piece)?;
            }
            encoder.end()?;
            Ok::<(), pallas_codec::minicbor::encode::Error<core::convert::Infallible>>(())
        };
        // A vector takes every byte, so there is nothing that could fail.
        let written = write();
        debug_assert!(written.is_ok());
        bytes
    }

    /// Returns the JSON for `cardano-cli transaction build --tx-out-inline-datum-file`.
    #[must_use]
    pub fn to_cli_json(&self) -> String {
        let fields = self.payload.chunks(PIECE).map(|piece| CliField { bytes: hex::encode(piece) }).collect();
        // Numbers and texts alone: there is nothing that JSON could not say.
        serde_json::to_string(&CliDatum { constructor: 0, fields }).unwrap_or_default()
    }

    /// Returns the payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}

/// Says why a datum is not one of Mithril.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatumError {
    /// It is not CBOR.
    #[error("not cbor: {reason}")]
    Cbor {
        /// Says what is wrong.
        reason: String,
    },
    /// It is not of constructor 0.
    #[error("not of constructor 0")]
    Constructor,
    /// A field is not a byte string.
    #[error("a field is not a byte string")]
    Field,
    /// It is not the JSON of such a datum.
    #[error("not the json of a datum with byte strings: {reason}")]
    Json {
        /// Says what is wrong.
        reason: String,
    },
    /// A piece has more than the 64 bytes that the ledger allows.
    #[error("a piece of {length} bytes, the ledger allows {PIECE}")]
    Piece {
        /// Counts the bytes.
        length: usize,
    },
    /// The whole is larger than a transaction can be.
    #[error("more than {} bytes", MarkersPayload::MAX_JSON)]
    TooLong,
    /// Bytes follow the datum.
    #[error("bytes follow the datum")]
    Trailing,
}

impl From<CborError> for DatumError {
    fn from(error: CborError) -> Self {
        Self::Cbor { reason: error.to_string() }
    }
}

#[derive(Serialize, Deserialize)]
struct CliDatum {
    constructor: u64,
    fields: Vec<CliField>,
}

#[derive(Serialize, Deserialize)]
struct CliField {
    bytes: String,
}

fn extend(payload: &mut Vec<u8>, piece: &[u8]) -> Result<(), DatumError> {
    if piece.len() > PIECE {
        return Err(DatumError::Piece { length: piece.len() });
    }
    if payload.len() + piece.len() > MarkersPayload::MAX_JSON {
        return Err(DatumError::TooLong);
    }
    payload.extend_from_slice(piece);
    Ok(())
}

/// Tags constructor 0 of Plutus data (the ledger's CDDL, `plutus_data`).
const CONSTRUCTOR_0: u64 = 121;

/// Is the greatest byte string in a datum (the ledger's CDDL, `bounded_bytes`); Mithril cuts its hex at 128 digits.
const PIECE: usize = 64;

/// Is the greatest JSON of a datum in bytes: its hex, and what stands around each piece, with generous space.
const MAX_CLI_JSON: usize = 4 * MarkersPayload::MAX_JSON;
