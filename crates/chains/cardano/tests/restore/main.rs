//! Restores a database from a file server on loopback that cuts off, resets, lies and sends bombs.
#![allow(clippy::panic, clippy::unwrap_used)]

mod faults;
mod interruption;
mod server;
mod world;

use std::fs;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use nodewright_cardano::artifact::BindError;
use nodewright_cardano::network::CardanoNetwork;
use nodewright_cardano::snapshot::{
    FreeSpace, LedgerState, PlanError, RestoreError, RestoreEvent, RestorePart, RestorePlan,
};

use crate::world::{World, expected, options, restorer, tree};

#[tokio::test]
async fn a_restore_leaves_a_folder_that_a_node_can_start_from() {
    let world = World::new().await;
    let folder = crate::world::folder();
    let parts = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&parts);
    let listener = move |event: &RestoreEvent| {
        if let RestoreEvent::Done { part } = event {
            seen.lock().unwrap().push(*part);
        }
        ControlFlow::Continue(())
    };
    let restored =
        restorer().with_options(options(3)).with_listener(listener).run(&world.plan(), folder.path()).await.unwrap();
    assert_eq!(restored.ledger, LedgerState::Absent);
    assert_eq!(tree(folder.path()), expected(false));
    let parts = parts.lock().unwrap();
    assert_eq!((parts.len(), parts[0]), (5, RestorePart::Digests));
}

#[tokio::test]
async fn the_ledger_state_comes_with_the_ancillary_key_and_only_then() {
    let world = World::new().await;
    let folder = crate::world::folder();
    let restored = restorer().run(&world.plan_with_ledger(), folder.path()).await.unwrap();
    assert_eq!(restored.ledger, LedgerState::AncillaryKey);
    assert_eq!(tree(folder.path()), expected(true));
}

#[tokio::test]
async fn a_folder_with_anything_in_it_is_refused_untouched() {
    let world = World::new().await;
    let folder = crate::world::folder();
    fs::write(folder.path().join("mine"), "x").unwrap();
    let refused = restorer().run(&world.plan(), folder.path()).await;
    assert_eq!(refused, Err(RestoreError::NotEmpty { path: folder.path().to_owned() }));
    assert_eq!(tree(folder.path()).len(), 1);
}

#[tokio::test]
async fn a_full_disk_is_noticed_before_anything_large_is_fetched() {
    struct Room(u64);
    impl FreeSpace for Room {
        fn available(&self, _: &std::path::Path) -> std::io::Result<u64> {
            Ok(self.0)
        }
    }
    let world = World::new().await;
    let folder = crate::world::folder();
    // All files without the ancillary ones, and one archive.
    let needed = 100_000 - 20_000 + 9000;
    let full = restorer().with_space(Arc::new(Room(needed - 1))).run(&world.plan(), folder.path()).await;
    assert_eq!(full, Err(RestoreError::DiskFull { available: needed - 1, needed }));
    assert!(world.server.requests_of("/immutable/00000.tar.zst").is_empty());
    restorer().with_space(Arc::new(Room(needed))).run(&world.plan(), folder.path()).await.unwrap();
}

#[tokio::test]
async fn a_plan_that_does_not_fit_its_certificate_is_refused() {
    let world = World::new().await;
    let plan = |snapshot: serde_json::Value, network| {
        RestorePlan::try_new(serde_json::from_value(snapshot).unwrap(), world.certificate(), network).unwrap_err()
    };
    let with = |pointer: &str, value: serde_json::Value| {
        let mut snapshot = world.snapshot.clone();
        *snapshot.pointer_mut(pointer).unwrap() = value;
        plan(snapshot, CardanoNetwork::devnet())
    };
    assert!(matches!(plan(world.snapshot.clone(), CardanoNetwork::preprod()), PlanError::Network { .. }));
    assert!(matches!(with("/merkle_root", "11".repeat(32).into()), PlanError::Bind(BindError::Part { .. })));
    assert!(matches!(with("/merkle_root", "zz".into()), PlanError::Root { .. }));
    assert!(matches!(with("/beacon/immutable_file_number", 2.into()), PlanError::Bind(BindError::Entity { .. })));
    assert!(matches!(
        with("/certificate_hash", "11".repeat(32).into()),
        PlanError::Bind(BindError::Certificate { .. })
    ));
    assert!(matches!(with("/hash", "11".repeat(32).into()), PlanError::Hash { .. }));
}
