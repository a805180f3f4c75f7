//! Servers that fail and lie.

use bytes::Bytes;
use nodewright_cardano::artifact::FaultKind;
use nodewright_cardano::keys::SigningKey;
use nodewright_cardano::snapshot::{
    AncillaryError, FetchError, LocationFault, NameFault, RestoreError, RestorePart, UnpackError,
};

use crate::server::{Fault, FileServer};
use crate::world::{World, archive, expected, restorer, template_location, tree, trio_archive};

const TRIO: &str = "/immutable/00002.tar.zst";

/// Restores while trio 2 is served badly, and returns what its one location was blamed for.
async fn blamed(faults: impl IntoIterator<Item = Fault>) -> LocationFault {
    let world = World::new().await;
    world.server.script(TRIO, faults);
    let folder = crate::world::folder();
    let failed = restorer().run(&world.plan(), folder.path()).await.unwrap_err();
    assert!(!folder.path().join("immutable").exists());
    assert!(!folder.path().join(".restore/db/immutable/00002.chunk").exists());
    let RestoreError::NoLocation { part, mut failures } = failed else { panic!("{failed}") };
    assert_eq!(part.to_string(), "00002");
    // Once the server is honest again, the restore ends well.
    world.server.script(TRIO, []);
    restorer().run(&world.plan(), folder.path()).await.unwrap();
    assert_eq!(tree(folder.path()), expected(false));
    failures.remove(0).fault
}

/// Restores while trio 2 is served badly for a while, and returns the offsets that were asked for.
async fn survived(faults: impl IntoIterator<Item = Fault>, etag: bool) -> Vec<Option<u64>> {
    let world = World::new().await;
    world.server.shared.lock().unwrap().etag = etag;
    world.server.script(TRIO, faults);
    let folder = crate::world::folder();
    restorer().run(&world.plan(), folder.path()).await.unwrap();
    assert_eq!(tree(folder.path()), expected(false));
    world.server.requests_of(TRIO)
}

#[tokio::test]
async fn a_cut_or_reset_download_goes_on_where_it_was() {
    assert_eq!(survived([Fault::Cut(1000), Fault::Reset(500)], true).await, [None, Some(1000), Some(1500)]);
    assert_eq!(survived([Fault::Cut(1000)], false).await, [None, Some(1000)]);
    assert_eq!(survived([Fault::Status(503), Fault::Status(429)], true).await, [None, None, None]);
    // Progress restarts the patience: five failures are more than three attempts.
    assert_eq!(survived(vec![Fault::Cut(100); 5], true).await.len(), 6);
}

#[tokio::test]
async fn a_server_that_ignores_or_mistakes_ranges_is_served_from_the_start() {
    assert_eq!(survived([Fault::Cut(1000), Fault::Whole], true).await, [None, Some(1000)]);
    assert_eq!(survived([Fault::Cut(1000), Fault::OtherRange], true).await, [None, Some(1000), None]);
    assert_eq!(survived([Fault::Cut(1000), Fault::NoRange], true).await, [None, Some(1000), None]);
}

#[tokio::test]
async fn a_file_that_changes_between_two_halves_is_fetched_again() {
    let other = Fault::Other(trio_archive(1).into());
    let Fault::Other(bytes) = &other else { unreachable!() };
    let half = Fault::Other(bytes.slice(..bytes.len() / 2));
    // With a version the server sends the whole new file; without one the two halves do not unpack, and it starts again.
    assert_eq!(survived([Fault::Cut(1000), Fault::None], true).await, [None, Some(1000)]);
    let offsets = survived([Fault::Cut(1000), other, Fault::None], false).await;
    assert_eq!(offsets, [None, Some(1000), None]);
    // A server that minds no versions: the other version is noticed before its bytes are mixed with the old ones.
    let careless = Fault::OtherVersion(trio_archive(1).into());
    assert_eq!(survived([Fault::Cut(1000), careless], true).await, [None, Some(1000), None]);
    assert!(matches!(blamed([half]).await, LocationFault::Unpack(UnpackError::Damaged { .. })));
}

#[tokio::test]
async fn wrong_content_names_the_file() {
    let files =
        [("immutable/00002.chunk", &b"x"[..]), ("immutable/00002.primary", b"y"), ("immutable/00002.secondary", b"z")];
    let LocationFault::File(fault) = blamed([Fault::Other(archive(&files).into())]).await else { panic!() };
    assert_eq!(fault.file.to_string(), "00002.chunk");
    assert!(matches!(fault.kind, FaultKind::Content { .. }));
    let LocationFault::File(fault) = blamed([Fault::Other(archive(&[]).into())]).await else { panic!() };
    assert_eq!(fault.kind, FaultKind::Missing);
    let other = blamed([Fault::Other(trio_archive(1).into())]).await;
    assert!(
        matches!(other, LocationFault::Unpack(UnpackError::Unexpected { entry }) if entry == "immutable/00001.chunk")
    );
    let html = blamed([Fault::Other(Bytes::from_static(b"<html>not here</html>"))]).await;
    assert!(matches!(html, LocationFault::Unpack(UnpackError::Damaged { .. })));
}

#[tokio::test]
async fn refusals_that_do_not_pass_are_not_repeated() {
    assert_eq!(blamed([Fault::Status(404)]).await, LocationFault::Fetch(FetchError::Status { status: 404 }));
    let broken = blamed(vec![Fault::Status(500); 3]).await;
    assert_eq!(broken, LocationFault::Fetch(FetchError::Status { status: 500 }));
}

#[tokio::test]
async fn traversal_links_and_bombs_are_refused_by_name() {
    let raw = |name: &str, kind: tar::EntryType, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(u64::try_from(content.len()).unwrap());
        if kind == tar::EntryType::Symlink {
            header.set_link_name("/").unwrap();
        }
        header.set_cksum();
        let mut tar = [header.as_bytes(), content].concat();
        tar.resize(tar.len().next_multiple_of(512) + 1024, 0);
        Fault::Other(zstd::encode_all(&tar[..], 3).unwrap().into())
    };
    let regular = tar::EntryType::Regular;
    for (name, fault) in [("../../../../out", NameFault::Parent), ("/tmp/out", NameFault::Absolute)] {
        let refused = blamed([raw(name, regular, b"x")]).await;
        assert_eq!(refused, LocationFault::Unpack(UnpackError::Name { entry: name.to_owned(), fault }));
    }
    let link = blamed([raw("immutable", tar::EntryType::Symlink, b"")]).await;
    assert!(matches!(link, LocationFault::Unpack(UnpackError::Kind { entry, .. }) if entry == "immutable"));
    let bomb = blamed([raw("immutable/00002.chunk", regular, &vec![0; 32 << 20])]).await;
    assert!(
        matches!(bomb, LocationFault::Unpack(UnpackError::Dense { entry, .. }) if entry == "immutable/00002.chunk")
    );
}

#[tokio::test]
async fn a_location_that_fails_is_followed_by_the_next() {
    let mut world = World::new().await;
    let (dead, lying) = (FileServer::start().await, FileServer::start().await);
    for number in 0..=3 {
        lying.put(&format!("/immutable/{number:05}.tar.zst"), trio_archive(number + 1));
    }
    let unknown = serde_json::json!({ "type": "carrier-pigeon", "uri": 7 });
    let good = template_location(&world.server.url);
    world.snapshot["immutables"]["locations"] =
        serde_json::json!([unknown, template_location(&dead.url), template_location(&lying.url), good]);
    // The archive of the digests is of another database; the route is right.
    world.server.put("/digests.tar.zst", archive(&[("x.json", b"[]")]));
    drop(dead);
    let folder = crate::world::folder();
    restorer().run(&world.plan(), folder.path()).await.unwrap();
    assert_eq!(tree(folder.path()), expected(false));
    assert_eq!(world.server.requests_of("/digests").len(), 1);
}

#[tokio::test]
async fn digests_that_are_not_certified_stop_the_restore_before_any_file() {
    let world = World::new().await;
    for path in ["/digests", "/digests.tar.zst"] {
        world.server.put(path, "[]");
    }
    let folder = crate::world::folder();
    let failed = restorer().run(&world.plan(), folder.path()).await.unwrap_err();
    let RestoreError::NoLocation { part, failures } = failed else { panic!("{failed}") };
    assert_eq!((part, failures.len()), (RestorePart::Digests, 2));
    assert!(matches!(failures[0].fault, LocationFault::Unpack(_)));
    assert!(matches!(failures[1].fault, LocationFault::Digests(_)));
    assert!(world.server.requests_of("/immutable/00000.tar.zst").is_empty());
}

#[tokio::test]
async fn a_ledger_state_of_another_key_is_refused() {
    let world = World::new().await;
    let folder = crate::world::folder();
    let plan = world.plan().with_ancillary(SigningKey::from_bytes(&[6; 32]).verification_key());
    let failed = restorer().run(&plan, folder.path()).await.unwrap_err();
    let RestoreError::NoLocation { part: RestorePart::Ancillary, failures } = failed else { panic!("{failed}") };
    assert!(matches!(failures[0].fault, LocationFault::Ancillary(AncillaryError::Signature(_))));
    assert!(!folder.path().join("ledger").exists());
}
