//! Migrations: both folders embedded, ordered and checked by sqlx; those of SQLite applied through rusqlite.
//!
//! Same bookkeeping table in both, so that `sqlx migrate info` reads either.

use rusqlite::{Connection, TransactionBehavior};
use sqlx::migrate::{Migrate as _, MigrateError, Migrator};

use crate::error::{Error, Result};
use crate::sql::postgres;

static SQLITE: Migrator = sqlx::migrate!("../../../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../../../migrations/postgres");

const BOOKKEEPING: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
)";

/// Compares what was applied with what this program brings; the number of migrations still to be applied.
fn check(migrator: &Migrator, applied: &[(i64, Vec<u8>)]) -> Result<usize> {
    for (version, checksum) in applied {
        match migrator.iter().find(|m| m.version == *version) {
            None => {
                return Err(Error::Schema(format!(
                    "the database is newer than this program (it has migration {version}): use the version that made it, or a newer one"
                )));
            }
            Some(m) if *m.checksum != **checksum => {
                return Err(Error::Schema(format!("migration {version} is not the one this program brings")));
            }
            Some(_) => {}
        }
    }
    Ok(migrator.iter().count().saturating_sub(applied.len()))
}

fn outdated() -> Error {
    Error::Schema("the database is older than this program: run `idp migrate`".to_owned())
}

/// Applies what is missing in one transaction; a second process waits for it and finds nothing to do.
pub(crate) fn sqlite(c: &mut Connection, may_migrate: bool) -> Result<()> {
    let transaction = c.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(BOOKKEEPING)?;
    let applied: Vec<(i64, Vec<u8>)> = transaction
        .prepare("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let missing = check(&SQLITE, &applied)?;
    if missing == 0 {
        return Ok(());
    }
    if !may_migrate {
        return Err(outdated());
    }
    for migration in SQLITE.iter().filter(|m| applied.iter().all(|(version, _)| *version != m.version)) {
        transaction.execute_batch(migration.sql.as_str())?;
        transaction.execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (?1, ?2, TRUE, ?3, 0)",
            (migration.version, &*migration.description, &*migration.checksum),
        )?;
    }
    transaction.commit()?;
    Ok(())
}

/// sqlx's own way: under an advisory lock of the database, each migration in a transaction.
pub(crate) async fn postgres(url: &str, may_migrate: bool) -> Result<()> {
    use sqlx::Connection as _;
    let mut c = postgres::connect(url).await?;
    if may_migrate {
        // Checked under its lock, so that no second process comes between. (`run` is no `Send` future.)
        POSTGRES.run_direct(None, &mut c, false).await.map_err(refusal)?;
    }
    let applied = c.list_applied_migrations(&POSTGRES.table_name).await;
    let applied = applied.map_err(|e| if may_migrate { refusal(e) } else { outdated() })?;
    let applied: Vec<_> = applied.into_iter().map(|m| (m.version, m.checksum.into_owned())).collect();
    let missing = check(&POSTGRES, &applied)?;
    c.close().await?;
    if missing == 0 { Ok(()) } else { Err(outdated()) }
}

fn refusal(error: MigrateError) -> Error {
    match error {
        MigrateError::VersionMissing(version) => check(&POSTGRES, &[(version, Vec::new())]).err().unwrap_or(outdated()),
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => e.into(),
        other => Error::Schema(other.to_string()),
    }
}
