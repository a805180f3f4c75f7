//! The reader over `cardano-cli`, with shell scripts in the place of the program.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::num::NonZeroU64;
use std::path::Path;
use std::time::Duration;

use nodewright_cardano::node::{
    Address, AddressNetwork, CardanoCli, CardanoCliOptions, ChainReader, NodeError, NodeStep, RawDatum,
};
use nodewright_core::Epoch;

const LONG: Duration = Duration::from_secs(20);

/// Runs `sh script query …`: a script of its own would have to be executable, and forks race with its writer.
fn options(folder: &Path, script: &str) -> CardanoCliOptions {
    let path = folder.join("cardano-cli.sh");
    std::fs::write(&path, script).unwrap();
    let mut options = CardanoCliOptions::new("/bin/sh", folder.join("node.socket"), 42).with_limits(LONG, 100_000);
    options.era_command = path.into();
    options
}

fn address() -> Address {
    Address::enterprise(AddressNetwork::Testnet, [1; 28])
}

const TIP: &str = r#"{"block":7,"epoch":12,"era":"Conway","hash":"0707070707070707070707070707070707070707070707070707070707070707","slot":1296000}"#;

#[tokio::test]
async fn the_program_is_asked_with_the_socket_and_the_network_and_its_json_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        r#"echo "$CARDANO_NODE_SOCKET_PATH $*" >> {log}
        case "$2" in
        tip) echo '{TIP}' ;;
        utxo) echo '{{"{tx}#1":{{"address":"{address}","inlineDatum":{{"constructor":0,"fields":[]}}}}}}' ;;
        esac"#,
        log = folder.path().join("log").display(),
        tx = "11".repeat(32),
        address = address(),
    );
    let slots = NonZeroU64::new(129_600).unwrap();
    let reader = CardanoCli::new(options(folder.path(), &script).with_slots_per_kes_period(slots));
    let answer = reader.datums(&address()).await.unwrap();
    assert_eq!(answer.tip.epoch, Epoch(12));
    assert_eq!(answer.datums[0].datum, RawDatum::Json(r#"{"constructor":0,"fields":[]}"#.to_owned()));
    assert_eq!(reader.kes_clock().await.unwrap().period(), 10);
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    let socket = folder.path().join("node.socket");
    let tip = format!("{} query tip --testnet-magic 42\n", socket.display());
    let utxo = format!("{} query utxo --address {} --output-json --testnet-magic 42\n", socket.display(), address());
    assert_eq!(log, format!("{tip}{utxo}{tip}"));
}

#[tokio::test]
async fn a_program_that_fails_stalls_or_says_too_much_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let read = async |script: &str, limit| {
        CardanoCli::new(options(folder.path(), script).with_limits(limit, 100_000)).tip().await.unwrap_err()
    };
    let error = read("echo 'no\nnode' >&2; exit 3", LONG).await;
    assert_eq!(error, NodeError::Program { code: Some(3), said: "no node ".to_owned() });
    let noise = read("yes x | head -c 1000000 >&2; exit 1", LONG).await;
    assert!(matches!(noise, NodeError::Program { said, .. } if said.len() == 512));
    let limit = Duration::from_millis(200);
    assert_eq!(read("exec sleep 600", limit).await, NodeError::TimedOut { step: NodeStep::Run, limit });
    let error = read("exec yes", LONG).await;
    assert_eq!(error, NodeError::TooLarge { step: NodeStep::Point, limit: 100_000 });
    assert!(matches!(read("echo no json", LONG).await, NodeError::Malformed { step: NodeStep::Point, .. }));
}

#[tokio::test]
async fn a_missing_program_and_an_unknown_kes_period_are_said() {
    let reader = CardanoCli::new(CardanoCliOptions::new("/nowhere/cardano-cli", "/nowhere/socket", 42));
    assert_eq!(reader.tip().await.unwrap_err(), NodeError::NotThere { path: "/nowhere/cardano-cli".into() });
    assert!(matches!(reader.kes_clock().await.unwrap_err(), NodeError::Unavailable { .. }));
}
