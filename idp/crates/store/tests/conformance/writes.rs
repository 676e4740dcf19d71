//! Writes as such: grouped, undone one by one, committed whether or not somebody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures_util::future::join_all;
use idp_store::sql::Conn;
use idp_store::{Error, Options, Result, Store, Write, vals};

use crate::both;
use crate::fixtures::{Db, REALM};

const INSERT: &str = "INSERT INTO throttles (realm_id, bucket, failures, updated_ms) VALUES ($1, $2, 1, 1)";
const COUNT: &str = "SELECT COUNT(*) FROM throttles WHERE realm_id = $1";

#[derive(Clone, Copy, PartialEq)]
enum End {
    Good,
    Panic,
    Fail,
    Undone,
}

/// Inserts a row and ends in some way.
struct Insert(i64, End);

impl Write for Insert {
    type Out = End;
    async fn run(&self, c: &mut Conn) -> Result<End> {
        c.exec(INSERT, vals![REALM, self.0]).await?;
        match self.1 {
            End::Panic => panic!("on purpose"),
            // the same key once more: a unique violation
            End::Fail => c.exec(INSERT, vals![REALM, self.0]).await.map(|_| End::Fail),
            end => Ok(end),
        }
    }
    fn keeps(out: &End) -> bool {
        *out != End::Undone
    }
}

/// Counts the rows; a write, since reads of our own are not open to tests.
struct Count;

impl Write for Count {
    type Out = i64;
    async fn run(&self, c: &mut Conn) -> Result<i64> {
        Ok(c.one(COUNT, vals![REALM]).await?.unwrap_or(-1))
    }
}

async fn count(store: &Store) -> i64 {
    store.write(Count).await.unwrap()
}

/// Holds the transaction, and on PostgreSQL a row, for a while.
struct Slow(Duration);

impl Write for Slow {
    type Out = ();
    async fn run(&self, c: &mut Conn) -> Result<()> {
        const SQL: &str = "INSERT INTO throttles (realm_id, bucket, failures, updated_ms) VALUES ($1, 0, 1, 1) \
             ON CONFLICT (realm_id, bucket) DO UPDATE SET failures = throttles.failures + 1";
        c.exec(SQL, vals![REALM]).await?;
        std::thread::sleep(self.0);
        Ok(())
    }
}

/// NULL of each type into columns of each type, and as a condition.
struct Nulls;

impl Write for Nulls {
    type Out = i64;
    async fn run(&self, c: &mut Conn) -> Result<i64> {
        const ACCOUNTS: &str =
            "SELECT COUNT(*) FROM accounts WHERE ($1 IS NULL OR password_version = $1) AND realm_id = $2";
        const AUDIT: &str = "SELECT COUNT(*) FROM audit WHERE ($1 IS NULL OR event = $1) \
             AND ($2 IS NULL OR account_id = $2)";
        let none: (Option<i64>, Option<&str>, Option<&[u8]>) = (None, None, None);
        c.one::<i64>(ACCOUNTS, vals![none.0, REALM]).await?;
        Ok(c.one(AUDIT, vals![none.1, none.2]).await?.unwrap_or(-1))
    }
}

/// PostgreSQL says 40001 to the first runs of it.
struct Collides {
    runs: Arc<AtomicU32>,
    collisions: u32,
}

impl Write for Collides {
    type Out = ();
    async fn run(&self, c: &mut Conn) -> Result<()> {
        const SQL: &str = "DO $$ BEGIN RAISE EXCEPTION 'collision' USING ERRCODE = '40001'; END $$";
        if self.runs.fetch_add(1, Relaxed) < self.collisions {
            c.exec(SQL, &[]).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn runs_a_write_that_collides_on_postgres_five_times_and_then_is_busy() {
    let db = Db::postgres().await;
    for (collisions, runs, busy) in [(2, 3, false), (4, 5, false), (100, 5, true)] {
        let counter = Arc::new(AtomicU32::new(0));
        let result = db.store.write(Collides { runs: Arc::clone(&counter), collisions }).await;
        assert_eq!((counter.load(Relaxed), matches!(result, Err(Error::Busy))), (runs, busy));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recovers_when_the_server_closes_all_connections() {
    use sqlx::Connection as _;
    let db = Db::postgres().await;
    join_all((0..40).map(|n| db.store.write(Insert(n, End::Good)))).await;
    let other = db.other().await;
    let mut c = sqlx::PgConnection::connect(&db.url).await.unwrap();
    let terminate = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(terminate).execute(&mut c).await.unwrap();
    let results = join_all((100..140).map(|n| db.store.write(Insert(n, End::Good)))).await;
    assert!(results.iter().all(Result::is_ok), "{:?}", results.into_iter().find_map(Result::err));
    assert_eq!(count(&db.store).await, 80);
    // The listener came back, too.
    tokio::time::sleep(Duration::from_millis(700)).await;
    let before = other.generation();
    db.store.write(crate::fixtures::create_realm("a")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(other.generation() > before);
}

both! {
    async fn undoes_only_the_writes_that_panic(db) {
        let ops = (0..200).map(|n| db.store.write(Insert(n, if n % 10 == 3 { End::Panic } else { End::Good })));
        let results = join_all(ops).await;
        assert_eq!(results.iter().filter(|r| matches!(r, Err(Error::Panicked))).count(), 20);
        assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 180);
        assert_eq!(count(&db.store).await, 180);
    }

    async fn undoes_only_the_write_that_fails(db) {
        let ops = (0..30).map(|n| db.store.write(Insert(n, if n == 7 { End::Fail } else { End::Good })));
        let results = join_all(ops).await;
        assert_eq!(results.iter().filter(|r| matches!(r, Err(Error::Database(_)))).count(), 1);
        assert_eq!(count(&db.store).await, 29);
    }

    async fn keeps_nothing_of_an_outcome_that_is_not_to_be_kept(db) {
        let before = db.store.counts();
        assert!(matches!(db.store.write(Insert(1, End::Undone)).await, Ok(End::Undone)));
        assert_eq!(db.store.counts().commits, before.commits, "nothing was committed");
        assert_eq!(count(&db.store).await, 0);
    }

    async fn commits_once_when_the_caller_goes_away(db) {
        for n in 0..20 {
            let write = db.store.write(Insert(n, End::Good));
            // polled once, then dropped
            drop(tokio::time::timeout(Duration::ZERO, write).await);
        }
        for _ in 0..100 {
            if count(&db.store).await == 20 { break }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(count(&db.store).await, 20);
    }

    async fn counts_commits_and_statements(db) {
        let before = db.store.counts();
        db.store.write(Insert(1, End::Good)).await.map(drop).unwrap();
        let after = db.store.counts();
        assert_eq!((after.commits - before.commits, after.statements - before.statements), (1, 1));
    }

    async fn finishes_more_writers_than_connections_while_it_answers_pings(db) {
        let store = db.store.clone();
        let writers = tokio::spawn(async move {
            join_all((0..60).map(|_| {
                let store = store.clone();
                async move { tokio::spawn(async move { store.write(Slow(Duration::from_millis(10))).await }).await }
            })).await
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        let begun = std::time::Instant::now();
        db.store.ping().await.unwrap();
        assert!(begun.elapsed() < Duration::from_millis(500), "a ping took {:?}", begun.elapsed());
        assert!(writers.await.unwrap().into_iter().all(|r| matches!(r, Ok(Ok(())))));
    }

    async fn binds_null_with_its_type(db) {
        assert_eq!(db.store.write(Nulls).await.unwrap(), 0);
    }

    async fn finishes_what_waits_when_it_closes_and_takes_no_more(db) {
        let pending = (0..50).map(|n| {
            let store = db.store.clone();
            tokio::spawn(async move { store.write(Insert(n, End::Good)).await.is_ok() })
        }).collect::<Vec<_>>();
        tokio::time::sleep(Duration::from_millis(30)).await;
        db.store.close().await;
        let done = join_all(pending).await.into_iter().filter(|r| matches!(r, Ok(true))).count();
        assert!(matches!(db.store.write(Count).await, Err(Error::Closed)));
        assert!(db.store.ping().await.is_err());
        assert_eq!(count(&db.other().await).await, i64::try_from(done).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_waiting_writes_into_few_commits_on_sqlite() {
    let db = Db::sqlite().await;
    let before = db.store.counts().commits;
    let all = join_all((0..200).map(|n| db.store.write(Insert(n, End::Good)))).await;
    assert!(all.iter().all(Result::is_ok));
    let commits = db.store.counts().commits - before;
    assert!(commits < 100, "{commits} commits for 200 writes");
}

#[tokio::test]
async fn refuses_addresses_of_no_known_form() {
    for url in ["", "mysql://x", "sqlite:", "sqlite::memory:", "/tmp/x.db"] {
        assert!(matches!(Store::open(url, &Options::default()).await, Err(Error::Address)), "{url}");
    }
}
