//! The one writer of SQLite: a thread that takes the writes that wait and commits them together.
//!
//! A busy server pays one fsync for many sign-ins; an idle one commits each write at once.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Result};
use crate::generation::Generation;
use crate::sql::{Conn, Database};
use crate::write::Write;

/// Writes in one commit at most: bounds how long the first waits for the last.
const GROUP: usize = 64;

/// Writes that wait at most; more callers wait for a place.
const QUEUE: usize = 1024;

pub(crate) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn start(conn: Conn, generation: Arc<Generation>) -> Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new().name("idp-writer".to_owned());
        let thread = thread.spawn(move || work(conn, jobs, &generation))?;
        Ok(Self { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)) })
    }

    pub(crate) async fn write<W: Write>(&self, op: W) -> Result<W::Out> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::Closed)?;
        let (reply, answer) = oneshot::channel();
        queue.send(Box::new(Pending { op, out: None, reply })).await.map_err(|_| Error::Closed)?;
        answer.await.unwrap_or(Err(Error::Closed))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Lets the queue run empty and waits for the last commit.
    pub(crate) async fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            drop(tokio::task::spawn_blocking(move || thread.join()).await);
        }
    }
}

/// A write of any kind on its way through the thread.
trait Job: Send {
    /// Runs it; whether what it wrote is to be kept.
    fn run(&mut self, c: &mut Conn) -> bool;
    fn changes_configuration(&self) -> bool;
    /// Answers the caller, who may have left. `failed`: the group's commit did not happen.
    fn answer(self: Box<Self>, failed: Option<&Error>);
}

struct Pending<W: Write> {
    op: W,
    out: Option<Result<W::Out>>,
    reply: oneshot::Sender<Result<W::Out>>,
}

impl<W: Write> Job for Pending<W> {
    fn run(&mut self, c: &mut Conn) -> bool {
        let run = AssertUnwindSafe(async {
            if W::CONFIGURATION {
                c.configuration_changes().await?;
            }
            self.op.run(c).await
        });
        // A future over SQLite never waits, so one poll finishes it; one that does wait is a mistake in a verb.
        let out = run.catch_unwind().now_or_never().unwrap_or(Ok(Err(Error::Closed)));
        let out = out.unwrap_or(Err(Error::Panicked));
        let keep = out.as_ref().is_ok_and(W::keeps);
        self.out = Some(out);
        keep
    }

    fn changes_configuration(&self) -> bool {
        W::CONFIGURATION
    }

    fn answer(self: Box<Self>, failed: Option<&Error>) {
        let out = match (self.out, failed) {
            // What an operation found by itself stands, whatever became of the others.
            (Some(Err(error)), _) => Err(error),
            (_, Some(error)) => Err(error.clone()),
            (Some(out), None) => out,
            (None, None) => Err(Error::Closed),
        };
        drop(self.reply.send(out));
    }
}

fn work(mut conn: Conn, mut jobs: mpsc::Receiver<Box<dyn Job>>, generation: &Generation) {
    let mut group = Vec::with_capacity(GROUP);
    while jobs.blocking_recv_many(&mut group, GROUP) > 0 {
        let failed = commit_together(&mut conn, &mut group).err();
        if let Some(error) = &failed {
            tracing::error!(error = error as &dyn std::error::Error, writes = group.len(), "a commit failed");
            drop(control(&conn, "ROLLBACK"));
        }
        if group.iter().any(|job| job.changes_configuration()) {
            generation.advance();
        }
        // Also when nothing of it was kept: a look for nothing costs less than a mail that waits.
        conn.outbox.committed();
        for job in group.drain(..) {
            job.answer(failed.as_ref());
        }
    }
}

/// Runs the jobs and commits what is to be kept. Nearly always that is everything, so they run without savepoints
/// first: inside of one SQLite copies every page before it is changed.
fn commit_together(conn: &mut Conn, group: &mut [Box<dyn Job>]) -> Result<()> {
    control(conn, "BEGIN IMMEDIATE")?;
    if !group.iter_mut().all(|job| job.run(conn) && in_transaction(conn)) {
        control(conn, "ROLLBACK")?;
        return if group.len() > 1 { commit_apart(conn, group) } else { Ok(()) };
    }
    control(conn, "COMMIT")?;
    conn.counters.commit();
    Ok(())
}

/// Runs each job in a savepoint of its own, so that one that is not to be kept undoes only itself.
fn commit_apart(conn: &mut Conn, group: &mut [Box<dyn Job>]) -> Result<()> {
    control(conn, "BEGIN IMMEDIATE")?;
    let mut kept = false;
    for job in group {
        control(conn, "SAVEPOINT write")?;
        if job.run(conn) {
            kept = true;
        } else {
            control(conn, "ROLLBACK TO write")?;
        }
        // A full disk or a failing one ends the whole transaction; then this fails, since the savepoint is gone.
        control(conn, "RELEASE write")?;
    }
    if kept {
        control(conn, "COMMIT")?;
        conn.counters.commit();
    } else {
        control(conn, "ROLLBACK")?;
    }
    Ok(())
}

/// A full disk or a failing one ends the transaction by itself: the next job must not run outside of one.
fn in_transaction(conn: &Conn) -> bool {
    matches!(&conn.database, Database::Sqlite(c) if !c.is_autocommit())
}

fn control(conn: &Conn, sql: &str) -> Result<()> {
    let Database::Sqlite(c) = &conn.database else { return Err(Error::Closed) };
    c.prepare_cached(sql)?.execute([])?;
    Ok(())
}
