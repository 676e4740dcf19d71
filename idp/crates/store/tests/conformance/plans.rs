//! No statement on SQLite reads a whole table that grows with users: neither without an index nor by `realm_id` alone.
//!
//! Every statement that any test of this suite runs is explained, by the statistics that migration 0010 writes.

use std::collections::BTreeMap;
use std::sync::{Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::fixtures::Db;

/// Statements that do read a whole table, by what they contain, and why they may.
const MAY_READ_ALL: &[(&str, &str)] = &[
    ("DELETE FROM clients", "sweeps, of the few clients that registered and that nobody used"),
    ("DELETE FROM consents WHERE realm_id = $1 AND client_id", "an operator deletes a client"),
    ("WHERE realm_id = $1 AND client_id = $2 AND state = 'live'", "an operator deletes or disables a client"),
    ("FROM (SELECT DISTINCT account_id FROM passkeys", "doctor counts who moved to another RP ID"),
    ("SELECT a.username FROM accounts a", "an operator lists who has not moved to another RP ID"),
    ("SELECT rp_id, COUNT(*)", "doctor counts passkeys"),
    ("SELECT DISTINCT aaguid", "a job looks at all models, when the metadata changed"),
    ("FROM audit WHERE realm_id = $1 AND ($2 IS NULL", "an operator pages through all, in the order of the key"),
    ("kind = 'setup'", "the first owner is made; passes are swept when they end"),
    ("FROM logout_deliveries WHERE due_ms", "a queue, nearly always empty"),
    ("SELECT COUNT(*) FROM", "tests count rows"),
];

/// Tables that stay small: configuration, and what operators make.
const SMALL: &[&str] =
    &["config_generation", "realms", "signing_keys", "groups", "clients", "mds_blobs", "mds_entries"];

/// Text → whether it was explained.
static SEEN: Mutex<BTreeMap<String, bool>> = Mutex::new(BTreeMap::new());

/// Collects the texts of statements.
struct Statements;

impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "idp_store::sql::sqlite"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        struct Sql;
        impl Visit for Sql {
            fn record_str(&mut self, field: &Field, value: &str) {
                if field.name() == "sql" {
                    SEEN.lock().unwrap().entry(value.to_owned()).or_default();
                }
            }
            fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
        }
        event.record(&mut Sql);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Begins to collect; before the first database is opened.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Statements).unwrap());
}

/// Steps of a statement's plan that read a whole large table.
fn reads_all(c: &rusqlite::Connection, sql: &str) -> Vec<String> {
    let mut statement = c.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get::<_, String>("detail").unwrap());
    }
    steps.retain(|step| step.starts_with("SCAN ") || step.ends_with("(realm_id=?)"));
    steps.retain(|step| step != "SCAN CONSTANT ROW");
    // The plan calls a table by its alias.
    let table = |alias: &str| {
        sql.split_once(&format!(" {alias} ")).map_or("", |(before, _)| before.rsplit(' ').next().unwrap())
    };
    steps.retain(|step| {
        let name = step.split(' ').nth(1).unwrap();
        ![name, table(name)].iter().any(|name| SMALL.contains(name))
    });
    steps
}

/// Explains what was collected so far.
pub fn check(url: &str) {
    let c = rusqlite::Connection::open(url.strip_prefix("sqlite://").unwrap()).unwrap();
    let seen = {
        let mut seen = SEEN.lock().unwrap();
        assert!(!seen.is_empty(), "no statement was collected");
        let new: Vec<String> = seen.iter().filter(|seen| !seen.1).map(|seen| seen.0.clone()).collect();
        seen.values_mut().for_each(|explained| *explained = true);
        new
    };
    let wrong: Vec<String> = seen
        .iter()
        .filter(|sql| !MAY_READ_ALL.iter().any(|(part, _)| sql.contains(part)))
        .filter_map(|sql| {
            let steps = reads_all(&c, sql);
            (!steps.is_empty()).then(|| format!("{sql}\n    {}", steps.join("\n    ")))
        })
        .collect();
    assert!(wrong.is_empty(), "these read a whole table:\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn finds_statements_that_read_a_whole_table() {
    let db = Db::sqlite().await;
    let c = rusqlite::Connection::open(db.url.strip_prefix("sqlite://").unwrap()).unwrap();
    for sql in [
        "SELECT 1 FROM sessions WHERE state = 'live'",
        "SELECT 1 FROM sessions s WHERE s.realm_id = $1 AND s.state = $2",
        "UPDATE grants SET state = 'revoked' WHERE realm_id = $1 AND client_id = $2",
    ] {
        assert_eq!(reads_all(&c, sql).len(), 1, "{sql}");
    }
    for sql in [
        "SELECT 1 FROM sessions WHERE realm_id = $1 AND sid = $2",
        "SELECT 1 FROM clients c WHERE c.realm_id = $1",
        "SELECT 1 FROM audit WHERE realm_id = $1 AND account_id = $2 ORDER BY audit_id DESC LIMIT 1",
    ] {
        assert!(reads_all(&c, sql).is_empty(), "{sql}");
    }
}

#[tokio::test]
async fn every_index_of_a_large_table_has_its_statistics() {
    let db = Db::sqlite().await;
    let c = rusqlite::Connection::open(db.url.strip_prefix("sqlite://").unwrap()).unwrap();
    let list = |sql: &str| -> Vec<(String, String)> {
        let mut statement = c.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    // A table WITHOUT ROWID names its primary key after itself there.
    let indexes = "SELECT m.name, CASE WHEN i.origin = 'pk' AND t.wr THEN m.name ELSE i.name END FROM sqlite_master m \
         JOIN pragma_table_list t ON t.name = m.name, pragma_index_list(m.name) i WHERE m.type = 'table' \
         AND m.name NOT LIKE '\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite_stat%' ORDER BY 1, 2";
    let mut indexes = list(indexes);
    indexes.retain(|(table, _)| !SMALL.contains(&table.as_str()));
    assert!(indexes.len() > 40, "the query found too little");
    assert_eq!(indexes, list("SELECT tbl, idx FROM sqlite_stat1 ORDER BY 1, 2"));
}
