//! A thousand anonymous starts leave the database as it was.

use std::collections::BTreeMap;
use std::path::Path;

use futures_util::future::join_all;
use idp_core::secret::sha256;
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use crate::world::{World, number};

const STARTS: usize = 1000;

/// Starts sign-ins and ceremonies as strangers would, each in a browser of its own.
async fn start_many(w: &World, starts: usize) {
    let rp = w.rp(&format!("app{}", number())).await;
    // What is cached is cached now.
    w.browser().get(&rp.ask().url()).await;
    let before = w.commits();
    for _ in 0..starts / 20 {
        join_all((0..10).map(async |n| {
            let mut browser = w.browser();
            let page = browser.get(&rp.ask().url()).await;
            assert_eq!(page.status, 303);
            let request = (n % 2 == 0).then(|| page.sealed().unwrap());
            let begun = browser.json("/webauthn/authenticate/options", &json!({ "request": request })).await;
            assert_eq!(begun.status, 200, "{}", begun.body);
        }))
        .await;
    }
    assert_eq!(w.commits(), before, "no commit");
}

/// Every file of the database but the shared-memory index of the log, which readers mark too.
fn files(folder: &Path) -> BTreeMap<String, [u8; 32]> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let named = entries.map(|e| (e.file_name().to_string_lossy().into_owned(), e.path()));
    let named = named.filter(|(name, _)| !name.ends_with("-shm"));
    named.map(|(name, path)| (name, sha256(&std::fs::read(path).unwrap()))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_files_stay_byte_for_byte() {
    let w = World::sqlite().await;
    start_many(&w, 20).await;
    // The client the helper registers is a write of ours: hence the order.
    let rp = w.rp("last").await;
    w.browser().get(&rp.ask().url()).await;
    let before = files(w.folder());
    for _ in 0..STARTS / 20 {
        join_all((0..10).map(async |_| {
            let mut browser = w.browser();
            assert_eq!(browser.get(&rp.ask().url()).await.status, 303);
            let body = json!({ "username": "nobody" });
            assert_eq!(browser.json("/webauthn/authenticate/options", &body).await.status, 200);
        }))
        .await;
    }
    assert!(before.len() >= 2 && files(w.folder()) == before, "{:?}", before.keys());
}

/// Transactions that wrote, and the end of the log: of the whole cluster.
async fn written(url: &str) -> (String, String) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let sql = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text, pg_current_wal_insert_lsn()::text";
    let row = sqlx::query_as(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    row
}

/// `xact_commit` of one database, read from another one, after its connections are gone and have reported.
async fn transactions(url: &str) -> i64 {
    let (server, name) = url.rsplit_once('/').unwrap();
    let mut connection = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    let sql = "SELECT xact_commit FROM pg_stat_database WHERE datname = $1";
    let mut last = -1;
    loop {
        let now = sqlx::query_scalar(sql).bind(name).fetch_one(&mut connection).await.unwrap();
        if now == last {
            return now;
        }
        last = now;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_sees_no_transaction_and_writes_no_log() {
    // A cluster of its own: others write to the shared one.
    let cluster = tokio::task::spawn_blocking(idp_pg::Cluster::start).await.unwrap();
    let alone = std::env::var_os("IDP_TEST_POSTGRES_URL").is_none();
    let mut totals = Vec::new();
    for starts in [0, STARTS] {
        let mut w = World::on(cluster.url("starts")).await;
        start_many(&w, 20).await;
        let rp = w.rp("last").await;
        w.browser().get(&rp.ask().url()).await;
        let before = written(&w.db_url).await;
        let commits = w.commits();
        for _ in 0..starts / 20 {
            join_all((0..10).map(async |_| {
                let mut browser = w.browser();
                assert_eq!(browser.get(&rp.ask().url()).await.status, 303);
                assert_eq!(browser.json("/webauthn/authenticate/options", &json!({})).await.status, 200);
            }))
            .await;
        }
        assert_eq!(w.commits(), commits);
        let after = written(&w.db_url).await;
        assert!(!alone || after.0 == before.0, "a transaction wrote: {before:?}, {after:?}");
        assert!(!alone || log_bytes(&before.1, &after.1) < 1024, "{before:?}, {after:?}");
        w.stop().await;
        totals.push(transactions(&w.db_url).await);
    }
    // The rest is what starting, stopping and the pool's connections cost, which varies; one statement a start would
    // be a thousand.
    assert!(totals[1] - totals[0] < 100, "transactions, reading ones too: {totals:?}");
}

/// Bytes between two positions of the log; the server itself notes a snapshot now and then.
fn log_bytes(from: &str, to: &str) -> u64 {
    let position = |text: &str| {
        let (high, low) = text.split_once('/').unwrap();
        (u64::from_str_radix(high, 16).unwrap() << 32) + u64::from_str_radix(low, 16).unwrap()
    };
    position(to) - position(from)
}
