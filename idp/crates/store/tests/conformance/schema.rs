//! The schema: alike in both databases, migrated once, refused when it is not ours.

use std::collections::BTreeMap;

use idp_store::{Error, Options, Store};

use crate::both;
use crate::fixtures::Db;

fn no_migration() -> Options {
    Options { migrate: false, ..Options::default() }
}

/// Runs SQL of a test beside the store.
async fn tamper(url: &str, sql: &'static str) {
    if let Some(path) = url.strip_prefix("sqlite://") {
        rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
    } else {
        use sqlx::Connection as _;
        let mut c = sqlx::PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut c).await.unwrap();
    }
}

both! {
    async fn migrates_a_second_time_without_a_change(db) {
        db.other().await.ping().await.unwrap();
        Store::open(&db.url, &no_migration()).await.unwrap();
    }

    async fn refuses_a_database_newer_than_the_program(db) {
        let sql = if db.url.starts_with("sqlite") {
            "INSERT INTO _sqlx_migrations VALUES (9999, 'later', '2030-01-01', TRUE, x'00', 0)"
        } else {
            "INSERT INTO _sqlx_migrations VALUES (9999, 'later', now(), TRUE, '\\x00', 0)"
        };
        tamper(&db.url, sql).await;
        for options in [Options::default(), no_migration()] {
            let Err(Error::Schema(text)) = Store::open(&db.url, &options).await else { panic!("it was opened") };
            assert!(text.contains("newer than this program"), "{text}");
        }
    }

    async fn refuses_a_migration_that_was_changed(db) {
        let sql = if db.url.starts_with("sqlite") {
            "UPDATE _sqlx_migrations SET checksum = x'00'"
        } else {
            "UPDATE _sqlx_migrations SET checksum = '\\x00'"
        };
        tamper(&db.url, sql).await;
        assert!(matches!(Store::open(&db.url, &Options::default()).await, Err(Error::Schema(_))));
    }
}

async fn opens_many_times_at_once(url: &str) {
    let open = || {
        let url = url.to_owned();
        tokio::spawn(async move { Store::open(&url, &Options::default()).await })
    };
    for opening in [open(), open(), open(), open()] {
        opening.await.unwrap().unwrap().ping().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrates_a_new_file_by_four_openers_at_once() {
    let (url, _folder) = Db::sqlite_url();
    opens_many_times_at_once(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrates_a_new_postgres_database_by_four_openers_at_once() {
    opens_many_times_at_once(&Db::postgres_url()).await;
}

#[tokio::test]
async fn refuses_an_empty_database_it_may_not_migrate() {
    let (url, _folder) = Db::sqlite_url();
    for url in [url, Db::postgres_url()] {
        let Err(Error::Schema(text)) = Store::open(&url, &no_migration()).await else { panic!("it was opened") };
        assert!(text.contains("idp migrate"), "{text}");
    }
}

/// Rows of the first version, with `B` before each literal of bytes.
const FIRST_ROWS: &str = "INSERT INTO grants VALUES (1, B'01', 'app', B'02', B'03', 'openid', 'live', 5, 6); \
     INSERT INTO challenges_used VALUES (1, B'0a', 9); \
     INSERT INTO signing_keys VALUES (1, 'k', 'RS256', 'active', '{}', B'00', 7, NULL); \
     INSERT INTO clients VALUES (1, 'app', 'active', NULL, '{}', 1, 1);";

/// What they are afterwards: the number of rows that this finds.
const FIRST_ROWS_NOW: &str = "SELECT COUNT(*) FROM grants g, used_once o, signing_keys k, clients c \
     WHERE g.client_id = 'app' AND g.scope = 'openid' AND g.detail = '{}' AND g.offline = 0 AND g.state = 'live' \
     AND g.created_ms = 5 AND g.expires_ms = 6 AND g.sid IS NOT NULL AND o.expires_ms = 9 AND k.active_ms = 7 \
     AND c.registration_hash IS NULL";

#[tokio::test]
async fn keeps_what_the_first_version_wrote() {
    use sqlx::Connection as _;
    macro_rules! migration {
        ($database:literal, $name:literal) => {
            include_str!(concat!("../../../../../migrations/", $database, "/", $name, ".sql"))
        };
    }
    let c = rusqlite::Connection::open_in_memory().unwrap();
    for sql in
        [migration!("sqlite", "0001_first"), &FIRST_ROWS.replace("B'", "x'"), migration!("sqlite", "0002_protocol")]
    {
        c.execute_batch(sql).unwrap();
    }
    assert_eq!(c.query_row(FIRST_ROWS_NOW, [], |row| row.get::<_, i64>(0)).unwrap(), 1);

    let mut c = sqlx::PgConnection::connect(&Db::postgres_url()).await.unwrap();
    let rows = FIRST_ROWS.replace("B'", "'\\x");
    for sql in [migration!("postgres", "0001_first"), &rows, migration!("postgres", "0002_protocol")] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut c).await.unwrap();
    }
    assert_eq!(sqlx::query_scalar::<_, i64>(FIRST_ROWS_NOW).fetch_one(&mut c).await.unwrap(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn makes_a_file_that_only_its_owner_reads() {
    use std::os::unix::fs::PermissionsExt as _;
    let db = Db::sqlite().await;
    let mode = std::fs::metadata(db.url.strip_prefix("sqlite://").unwrap()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Column → (type, nullable) of each table, and the columns of each index.
type Tables = BTreeMap<String, BTreeMap<String, (String, bool)>>;
type Indexes = BTreeMap<String, (bool, String)>;

fn sqlite_schema(url: &str) -> (Tables, Indexes) {
    let c = rusqlite::Connection::open(url.strip_prefix("sqlite://").unwrap()).unwrap();
    let rows = |sql: &str| -> Vec<(String, String, String, bool)> {
        let mut statement = c.prepare(sql).unwrap();
        let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut tables = Tables::new();
    let columns = "SELECT m.name, c.name, c.type, NOT c.\"notnull\" FROM sqlite_master m, pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE '\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite_stat%'";
    for (table, column, kind, nullable) in rows(columns) {
        tables.entry(table).or_default().insert(column, (kind.replace("BLOB", "BYTEA"), nullable));
    }
    let indexes = "SELECT m.name, group_concat(c.name, ','), '', i.\"unique\" FROM sqlite_master m, \
         pragma_index_list(m.name) i, pragma_index_info(i.name) c WHERE m.type = 'table' \
         AND i.origin <> 'pk' AND m.name NOT LIKE '\\_%' ESCAPE '\\' GROUP BY i.name";
    let mut out = Indexes::new();
    for (table, columns, _, unique) in rows(indexes) {
        out.insert(format!("{table}({columns})"), (unique, columns));
    }
    let keys = "SELECT m.name, group_concat(c.name, ','), '', 1 FROM sqlite_master m, \
         (SELECT 1) JOIN pragma_table_info(m.name) c ON c.pk > 0 WHERE m.type = 'table' \
         AND m.name NOT LIKE '\\_%' ESCAPE '\\' GROUP BY m.name";
    for (table, columns, _, unique) in rows(keys) {
        out.insert(format!("{table}({columns})"), (unique, columns));
    }
    (tables, out)
}

async fn postgres_schema(url: &str) -> (Tables, Indexes) {
    use sqlx::Connection as _;
    let mut c = sqlx::PgConnection::connect(url).await.unwrap();
    let mut tables = Tables::new();
    let columns = "SELECT table_name::text, column_name::text, upper(data_type)::text, is_nullable = 'YES' \
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%'";
    let rows: Vec<(String, String, String, bool)> = sqlx::query_as(columns).fetch_all(&mut c).await.unwrap();
    for (table, column, kind, nullable) in rows {
        tables.entry(table).or_default().insert(column, (kind, nullable));
    }
    let indexes = "SELECT t.relname::text, string_agg(a.attname, ',' ORDER BY k.n)::text, i.indisunique \
         FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace s ON s.oid = t.relnamespace, \
         unnest(i.indkey::int[]) WITH ORDINALITY k(attnum, n) JOIN pg_attribute a ON a.attnum = k.attnum \
         WHERE s.nspname = 'public' AND a.attrelid = i.indrelid AND t.relname NOT LIKE '\\_%' \
         GROUP BY t.relname, i.indexrelid, i.indisunique";
    let rows: Vec<(String, String, bool)> = sqlx::query_as(indexes).fetch_all(&mut c).await.unwrap();
    let indexes = rows.into_iter().map(|(t, columns, unique)| (format!("{t}({columns})"), (unique, columns)));
    (tables, indexes.collect())
}

#[tokio::test]
async fn has_the_same_tables_columns_and_indexes_in_both_databases() {
    let (sqlite, postgres) = (Db::sqlite().await, Db::postgres().await);
    let (one, other) = (sqlite_schema(&sqlite.url), postgres_schema(&postgres.url).await);
    assert_eq!(one.0, other.0);
    assert_eq!(one.1, other.1);
    assert!(one.0.len() >= 16 && one.1.len() > one.0.len(), "the queries found too little");
    assert!(one.0.values().all(|columns| columns.contains_key("realm_id")), "every table carries its realm");
}
