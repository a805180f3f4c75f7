//! The settings by which Mithril's own nodes choose where they read markers.

use core::fmt;
use core::str::FromStr;
use std::path::PathBuf;

use serde::Deserialize;

use super::{Markers, MarkersError};
use crate::keys::{KeyError, VerificationKey};
use crate::node::{Address, AddressError};

/// Is the environment variable in which Mithril's nodes look for the adapter's type.
pub const ADAPTER_TYPE_ENV: &str = "ERA_READER_ADAPTER_TYPE";

/// Is the environment variable in which Mithril's nodes look for the adapter's parameters.
pub const ADAPTER_PARAMS_ENV: &str = "ERA_READER_ADAPTER_PARAMS";

/// Says where markers are read, with the parameters of Mithril's nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EraAdapterConfig {
    /// The first era of the build holds from epoch 0; the default of Mithril's nodes.
    Bootstrap,
    /// The last era of the build holds from epoch 0.
    BootstrapLatest,
    /// From the datums at an address: `{"address":"addr…","verification_key":"<json-hex>"}`.
    CardanoChain {
        /// Is the address.
        address: Address,
        /// Is the key that signs.
        verification_key: Box<VerificationKey>,
    },
    /// From memory: `{"markers":[…]}`.
    Dummy {
        /// Is the list.
        markers: Markers,
    },
    /// From a file that holds the bare list, unsigned: `{"markers_file":"…"}`.
    File {
        /// Is the file.
        markers_file: PathBuf,
    },
}

impl EraAdapterConfig {
    /// Reads the two settings. Fields that are not known are passed over, as Mithril does.
    ///
    /// # Errors
    /// [`AdapterConfigError`].
    pub fn parse(adapter_type: &str, params: Option<&str>) -> Result<Self, AdapterConfigError> {
        let adapter: EraAdapterType = adapter_type.parse()?;
        let missing = AdapterConfigError::MissingParameters { adapter };
        let decode = |field: &'static str| {
            move |source: DecodeFailure| AdapterConfigError::Decode { adapter, field, source: Box::new(source) }
        };
        match adapter {
            EraAdapterType::Bootstrap => Ok(Self::Bootstrap),
            EraAdapterType::BootstrapLatest => Ok(Self::BootstrapLatest),
            EraAdapterType::CardanoChain => {
                let params: ChainParams = read(adapter, params.ok_or(missing)?)?;
                let address = params.address.parse().map_err(|error: AddressError| decode("address")(error.into()))?;
                let key = params.verification_key.parse();
                let key = key.map_err(|error: KeyError| decode("verification_key")(error.into()))?;
                Ok(Self::CardanoChain { address, verification_key: Box::new(key) })
            }
            EraAdapterType::Dummy => {
                let params: DummyParams = read(adapter, params.ok_or(missing)?)?;
                let markers = Markers::parse(params.markers.to_string().as_bytes());
                Ok(Self::Dummy { markers: markers.map_err(|error: MarkersError| decode("markers")(error.into()))? })
            }
            EraAdapterType::File => {
                let params: FileParams = read(adapter, params.ok_or(missing)?)?;
                Ok(Self::File { markers_file: params.markers_file })
            }
        }
    }

    /// Returns which adapter it is.
    #[must_use]
    pub fn adapter_type(&self) -> EraAdapterType {
        match self {
            Self::Bootstrap => EraAdapterType::Bootstrap,
            Self::BootstrapLatest => EraAdapterType::BootstrapLatest,
            Self::CardanoChain { .. } => EraAdapterType::CardanoChain,
            Self::Dummy { .. } => EraAdapterType::Dummy,
            Self::File { .. } => EraAdapterType::File,
        }
    }
}

/// Names an adapter by the word of Mithril's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EraAdapterType {
    /// `bootstrap`.
    Bootstrap,
    /// `bootstrap-latest`.
    BootstrapLatest,
    /// `cardano-chain`.
    CardanoChain,
    /// `dummy`.
    Dummy,
    /// `file`.
    File,
}

impl EraAdapterType {
    const ALL: [Self; 5] = [Self::Bootstrap, Self::BootstrapLatest, Self::CardanoChain, Self::Dummy, Self::File];
}

impl fmt::Display for EraAdapterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bootstrap => "bootstrap",
            Self::BootstrapLatest => "bootstrap-latest",
            Self::CardanoChain => "cardano-chain",
            Self::Dummy => "dummy",
            Self::File => "file",
        })
    }
}

impl FromStr for EraAdapterType {
    type Err = AdapterConfigError;

    fn from_str(text: &str) -> Result<Self, AdapterConfigError> {
        let known = Self::ALL.into_iter().find(|adapter| adapter.to_string() == text);
        known.ok_or_else(|| AdapterConfigError::UnknownType { text: text.chars().take(MAX_TEXT).collect() })
    }
}

/// Says what is wrong with the settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdapterConfigError {
    /// A parameter has no meaning.
    #[error("parameter {field} of era adapter {adapter} is wrong: {source}")]
    Decode {
        /// Names the adapter.
        adapter: EraAdapterType,
        /// Names the parameter.
        field: &'static str,
        /// Says why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The adapter needs parameters and there are none.
    #[error("era adapter {adapter} needs parameters")]
    MissingParameters {
        /// Names the adapter.
        adapter: EraAdapterType,
    },
    /// The parameters are not the JSON that the adapter needs.
    #[error("the parameters of era adapter {adapter} cannot be read: {source}")]
    ParseParameters {
        /// Names the adapter.
        adapter: EraAdapterType,
        /// Says why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no such adapter.
    #[error("no era adapter is called {text:?}")]
    UnknownType {
        /// Is the beginning of the text.
        text: String,
    },
}

#[derive(Debug, thiserror::Error)]
enum DecodeFailure {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Markers(#[from] MarkersError),
}

#[derive(Deserialize)]
struct ChainParams {
    address: String,
    verification_key: String,
}

#[derive(Deserialize)]
struct DummyParams {
    markers: serde_json::Value,
}

#[derive(Deserialize)]
struct FileParams {
    markers_file: PathBuf,
}

fn read<'de, T: Deserialize<'de>>(adapter: EraAdapterType, params: &'de str) -> Result<T, AdapterConfigError> {
    serde_json::from_str(params).map_err(|error| AdapterConfigError::ParseParameters { adapter, source: error.into() })
}

/// Is how many characters of a wrong text an error keeps.
const MAX_TEXT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    /// What `mithril-infra/configuration/release-preprod` states.
    const ADDRESS: &str =
        "addr_test1qpkyv2ws0deszm67t840sdnruqgr492n80g3y96xw3p2ksk6suj5musy6w8lsg3yjd09cnpgctc2qh386rtxphxt248qr0npnx";
    const KEY: &str = "37e490578a8830080ebb559461e8ffe526f4f7ccc60d1fde19a434665b78d093";

    fn parse(adapter: &str, params: &str) -> Result<EraAdapterConfig, AdapterConfigError> {
        EraAdapterConfig::parse(adapter, Some(params))
    }

    #[test]
    fn the_five_adapters_are_read_with_their_parameters() {
        let key: VerificationKey = KEY.parse().unwrap();
        for text in [KEY.to_owned(), key.to_json_hex()] {
            let params = format!(r#"{{"address":"{ADDRESS}","verification_key":"{text}"}}"#);
            let expected =
                EraAdapterConfig::CardanoChain { address: ADDRESS.parse().unwrap(), verification_key: Box::new(key) };
            assert_eq!(parse("cardano-chain", &params).unwrap(), expected);
        }
        let file = parse("file", r#"{"markers_file":"/x/markers.json"}"#).unwrap();
        assert_eq!(file, EraAdapterConfig::File { markers_file: "/x/markers.json".into() });
        let dummy = parse("dummy", r#"{"markers":[{"name":"thales","epoch":1}]}"#).unwrap();
        let markers = Markers::parse(br#"[{"name":"thales","epoch":1}]"#).unwrap();
        assert_eq!(dummy, EraAdapterConfig::Dummy { markers });
        assert_eq!(EraAdapterConfig::parse("bootstrap", None).unwrap(), EraAdapterConfig::Bootstrap);
        assert_eq!(parse("bootstrap-latest", "{}").unwrap(), EraAdapterConfig::BootstrapLatest);
        for adapter in EraAdapterType::ALL {
            assert_eq!(adapter.to_string().parse::<EraAdapterType>().unwrap(), adapter);
        }
    }

    #[test]
    fn each_mistake_has_its_error() {
        use AdapterConfigError as E;

        for adapter in ["cardano-chain", "file", "dummy"] {
            assert!(matches!(EraAdapterConfig::parse(adapter, None), Err(E::MissingParameters { .. })), "{adapter}");
            for params in ["", "{}", "[]", r#"{"markers_file":1}"#] {
                assert!(matches!(parse(adapter, params), Err(E::ParseParameters { .. })), "{adapter} {params}");
            }
        }
        let chain = |address, key| {
            let params = format!(r#"{{"address":"{address}","verification_key":"{key}"}}"#);
            parse("cardano-chain", &params).unwrap_err()
        };
        assert!(matches!(chain("addr_test1", KEY), E::Decode { field: "address", .. }));
        assert!(matches!(chain(ADDRESS, "5b5d"), E::Decode { field: "verification_key", .. }));
        let dummy = parse("dummy", r#"{"markers":[{"name":"","epoch":1}]}"#);
        assert!(matches!(dummy, Err(E::Decode { field: "markers", .. })));
        assert!(matches!(parse("cardano chain", "{}"), Err(E::UnknownType { text }) if text == "cardano chain"));
    }
}
