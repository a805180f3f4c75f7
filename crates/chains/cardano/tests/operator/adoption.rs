//! Adoption by stake, held against SQL over an event store as Mithril's aggregator keeps it.

use nodewright_cardano::watch::{RegistrationEvent, adoption};
use rusqlite::{Connection, params};
use serde_json::json;

/// Is the aggregator's table, and a view that answers as its summary of registrations is documented to: of each party's
/// registrations in an epoch the latest, versions without what follows `+`, shares in whole percents.
const SCHEMA: &str = "
    CREATE TABLE event (
        event_id INTEGER PRIMARY KEY AUTOINCREMENT,
        created_at TEXT NOT NULL, source TEXT NOT NULL, action TEXT NOT NULL, content TEXT NULL);
    CREATE VIEW summary AS
    WITH ranked AS (
        SELECT CAST(content ->> '$.headers.epoch' AS INTEGER) AS epoch,
               content ->> '$.headers.signer-node-version' AS full,
               content ->> '$.content.stake' AS stake,
               row_number() OVER (
                   PARTITION BY content ->> '$.content.party_id', content ->> '$.headers.epoch'
                   ORDER BY created_at DESC, event_id DESC) AS age
        FROM event WHERE action = 'register_signer'),
    latest AS (
        SELECT epoch, stake, nullif(substr(full || '+', 1, instr(full || '+', '+') - 1), '') AS version
        FROM ranked WHERE age = 1),
    totals AS (SELECT epoch, sum(stake) AS total FROM latest GROUP BY epoch)
    SELECT epoch, version, total, sum(stake) AS stake,
           printf('%02d %%', round(100.0 * sum(stake) / total)) AS ratio, count(*) AS pools
    FROM latest JOIN totals USING (epoch) GROUP BY epoch, version ORDER BY epoch, version;
";

type Row = (u64, Option<String>, u64, u64, String, u64);

fn rows_of_sql(contents: &[String]) -> Vec<Row> {
    let database = Connection::open_in_memory().unwrap();
    database.execute_batch(SCHEMA).unwrap();
    for (second, content) in contents.iter().enumerate() {
        let insert = "INSERT INTO event (created_at, source, action, content) VALUES (?, ?, ?, ?)";
        let noise = json!({"content": {"party_id": "a", "stake": 5}, "headers": {"epoch": "738"}}).to_string();
        let at = format!("2026-01-01 00:{:02}:{:02}", second / 60, second % 60);
        database.execute(insert, params![at, "HTTP::signer_register", "register_signer", content]).unwrap();
        database.execute(insert, params![at, "HTTP::statistics", "artifact_fetch", noise]).unwrap();
    }
    let mut query = database.prepare("SELECT epoch, version, total, stake, ratio, pools FROM summary").unwrap();
    let read =
        |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?));
    query.query_map([], read).unwrap().map(Result::unwrap).collect()
}

fn rows_of_ours(contents: &[String]) -> Vec<Row> {
    let events: Vec<_> = contents.iter().map(|content| RegistrationEvent::from_event(content).unwrap()).collect();
    let small = |stake: u128| u64::try_from(stake).unwrap();
    let mut rows = Vec::new();
    for adoption in adoption(&events).values() {
        let unknown = (adoption.unknown.pools > 0).then_some((None, adoption.unknown));
        let known = adoption.versions.iter().map(|(version, share)| (Some(version.clone()), *share));
        for (version, share) in unknown.into_iter().chain(known) {
            let (epoch, total) = (adoption.epoch.0, small(adoption.total));
            rows.push((epoch, version, total, small(share.stake), share.ratio_text(adoption.total), share.pools));
        }
    }
    rows
}

fn event(party: &str, epoch: u64, stake: u64, version: Option<&str>) -> String {
    let mut headers = json!({"epoch": epoch.to_string()});
    if let Some(version) = version {
        headers["signer-node-version"] = json!(version);
    }
    json!({"content": {"party_id": party, "stake": stake, "verification_key": "7b7d"}, "headers": headers}).to_string()
}

#[test]
fn shares_ratios_and_pools_are_those_of_the_sql_view() {
    let versions =
        [None, Some("0.2.276+5d5571e"), Some("0.2.276+7c4a8f1"), Some("0.2.200"), Some("0.3.0+x+y"), Some("")];
    for seed in nodewright_testkit::seeds(30, 1_000) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let scale = [1, 10, 1_000_000, 70_000_000_000_000][rng.usize(0..4)];
        let contents: Vec<_> = (0..rng.usize(0..60))
            .map(|_| {
                let party = format!("pool{}", rng.u8(0..12));
                event(&party, rng.u64(738..742), rng.u64(1..20) * scale, versions[rng.usize(0..versions.len())])
            })
            .collect();
        assert_eq!(rows_of_ours(&contents), rows_of_sql(&contents), "seed {seed}");
    }
}

#[test]
fn a_ratio_of_exactly_one_half_rounds_up_and_one_digit_is_padded() {
    let contents = [event("a", 738, 1, Some("1")), event("b", 738, 199, Some("2"))];
    let ours = rows_of_ours(&contents);
    assert_eq!(ours, rows_of_sql(&contents));
    let ratios: Vec<_> = ours.into_iter().map(|row| row.4).collect();
    assert_eq!(ratios, ["01 %", "100 %"]);
}
