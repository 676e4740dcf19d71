//! Values that go into statements and rows that come out of them.
//!
//! The closed set of column types both databases share: BIGINT, TEXT and BLOB (BYTEA on PostgreSQL).

use idp_core::id::{AccountId, AuditId, ClientId, EventId, FlowId, GrantId, MailId, RealmId, Sid};
use idp_core::secret::Hash;
use idp_core::time::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::error::{Error, Result};
use crate::words::Word;

/// A bound value. Each kind holds its own `Option`, because a NULL has a type on PostgreSQL.
#[derive(Clone, Copy, Debug)]
pub enum Val<'a> {
    I64(Option<i64>),
    Text(Option<&'a str>),
    Blob(Option<&'a [u8]>),
}

/// Builds the list of values of a statement: `vals![realm, &account.id, now]`.
#[macro_export]
macro_rules! vals {
    ($($value:expr),* $(,)?) => { &[$($crate::sql::Val::from($value)),*] };
}

macro_rules! from {
    ($($type:ty => |$v:ident| $val:expr;)*) => {
        $(impl<'a> From<$type> for Val<'a> { fn from($v: $type) -> Self { $val } })*
    };
}

from! {
    i64 => |v| Val::I64(Some(v));
    Option<i64> => |v| Val::I64(v);
    bool => |v| Val::I64(Some(i64::from(v)));
    Option<bool> => |v| Val::I64(v.map(i64::from));
    Timestamp => |v| Val::I64(Some(v.ms()));
    Option<Timestamp> => |v| Val::I64(v.map(Timestamp::ms));
    RealmId => |v| Val::I64(Some(v.0));
    &'a str => |v| Val::Text(Some(v));
    Option<&'a str> => |v| Val::Text(v);
    &'a String => |v| Val::Text(Some(v));
    &'a ClientId => |v| Val::Text(Some(v.as_str()));
    Option<&'a ClientId> => |v| Val::Text(v.map(ClientId::as_str));
    &'a [u8] => |v| Val::Blob(Some(v));
    Option<&'a [u8]> => |v| Val::Blob(v);
    &'a Vec<u8> => |v| Val::Blob(Some(v));
    Option<&'a AccountId> => |v| Val::Blob(v.map(|id| &id.as_bytes()[..]));
    Option<&'a Sid> => |v| Val::Blob(v.map(|id| &id.as_bytes()[..]));
    Option<&'a AuditId> => |v| Val::Blob(v.map(|id| &id.as_bytes()[..]));
    &'a AccountId => |v| Val::Blob(Some(v.as_bytes()));
    &'a Sid => |v| Val::Blob(Some(v.as_bytes()));
    &'a FlowId => |v| Val::Blob(Some(v.as_bytes()));
    &'a GrantId => |v| Val::Blob(Some(v.as_bytes()));
    &'a EventId => |v| Val::Blob(Some(v.as_bytes()));
    &'a AuditId => |v| Val::Blob(Some(v.as_bytes()));
    &'a MailId => |v| Val::Blob(Some(v.as_bytes()));
}

impl<'a, const N: usize> From<&'a [u8; N]> for Val<'a> {
    fn from(v: &'a [u8; N]) -> Self {
        Val::Blob(Some(v))
    }
}

impl<'a, const N: usize> From<Option<&'a [u8; N]>> for Val<'a> {
    fn from(v: Option<&'a [u8; N]>) -> Self {
        Val::Blob(v.map(|v| &v[..]))
    }
}

/// A value that owns its bytes, to travel to another thread.
#[derive(Debug)]
pub(super) enum Owned {
    I64(Option<i64>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

impl From<Val<'_>> for Owned {
    fn from(v: Val<'_>) -> Self {
        match v {
            Val::I64(v) => Self::I64(v),
            Val::Text(v) => Self::Text(v.map(str::to_owned)),
            Val::Blob(v) => Self::Blob(v.map(<[u8]>::to_vec)),
        }
    }
}

impl Owned {
    pub(super) fn as_val(&self) -> Val<'_> {
        match self {
            Self::I64(v) => Val::I64(*v),
            Self::Text(v) => Val::Text(v.as_deref()),
            Self::Blob(v) => Val::Blob(v.as_deref()),
        }
    }
}

/// One row, read column by column: each call takes the next column, so a struct literal in the order of the
/// `SELECT` list reads itself.
pub struct Row<'r> {
    source: Source<'r>,
    next: usize,
}

pub(super) enum Source<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r PgRow),
}

/// A value made of one row.
pub trait FromRow: Sized + Send + 'static {
    /// Reads the columns in the order they were selected.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a value has not the form this program writes.
    fn from_row(row: &mut Row<'_>) -> Result<Self>;
}

impl FromRow for String {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        row.text().map(str::to_owned)
    }
}

impl FromRow for i64 {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        row.i64()
    }
}

impl<'r> Row<'r> {
    pub(super) const fn new(source: Source<'r>) -> Self {
        Self { source, next: 0 }
    }

    /// The next column, a number or NULL.
    pub(crate) fn i64_or_null(&mut self) -> Result<Option<i64>> {
        let at = self.advance();
        Ok(match self.source {
            Source::Sqlite(row) => row.get(at)?,
            Source::Postgres(row) => row.try_get(at)?,
        })
    }

    /// The next column, a text or NULL.
    pub(crate) fn text_or_null(&mut self) -> Result<Option<&'r str>> {
        let at = self.advance();
        Ok(match self.source {
            Source::Sqlite(row) => row.get_ref(at)?.as_str_or_null().map_err(|_| Error::Corrupt("a text column"))?,
            Source::Postgres(row) => row.try_get(at)?,
        })
    }

    /// The next column, bytes or NULL.
    pub(crate) fn blob_or_null(&mut self) -> Result<Option<&'r [u8]>> {
        let at = self.advance();
        Ok(match self.source {
            Source::Sqlite(row) => row.get_ref(at)?.as_blob_or_null().map_err(|_| Error::Corrupt("a bytes column"))?,
            Source::Postgres(row) => row.try_get(at)?,
        })
    }

    /// The next column, a number.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is NULL; those of the database when it is no number.
    pub fn i64(&mut self) -> Result<i64> {
        self.i64_or_null()?.ok_or(Error::Corrupt("a number column"))
    }

    /// The next column, a text.
    pub(crate) fn text(&mut self) -> Result<&'r str> {
        self.text_or_null()?.ok_or(Error::Corrupt("a text column"))
    }

    /// The next column, bytes.
    pub(crate) fn blob(&mut self) -> Result<&'r [u8]> {
        self.blob_or_null()?.ok_or(Error::Corrupt("a bytes column"))
    }

    /// The next column, 0 or 1.
    pub(crate) fn bool(&mut self) -> Result<bool> {
        Ok(self.i64()? != 0)
    }

    /// The next column, a time.
    pub(crate) fn time(&mut self) -> Result<Timestamp> {
        self.i64().map(Timestamp::from_ms)
    }

    /// The next column, a time or NULL.
    pub(crate) fn time_or_null(&mut self) -> Result<Option<Timestamp>> {
        Ok(self.i64_or_null()?.map(Timestamp::from_ms))
    }

    /// The next column, an identifier or other value of fixed length.
    pub(crate) fn id<T: TryFrom<&'r [u8]>>(&mut self, what: &'static str) -> Result<T> {
        T::try_from(self.blob()?).map_err(|_| Error::Corrupt(what))
    }

    /// The next column, an identifier or NULL.
    pub(crate) fn id_or_null<T: TryFrom<&'r [u8]>>(&mut self, what: &'static str) -> Result<Option<T>> {
        self.blob_or_null()?.map(|bytes| T::try_from(bytes).map_err(|_| Error::Corrupt(what))).transpose()
    }

    /// The next column, a SHA-256 or NULL.
    pub(crate) fn hash_or_null(&mut self, what: &'static str) -> Result<Option<Hash>> {
        self.id_or_null(what)
    }

    /// The next column, a client identifier.
    pub(crate) fn client_id(&mut self, what: &'static str) -> Result<ClientId> {
        ClientId::parse(self.text()?).map_err(|_| Error::Corrupt(what))
    }

    /// The next column, a word of a closed set.
    pub(crate) fn word<T: Word>(&mut self, what: &'static str) -> Result<T> {
        T::from_word(self.text()?).ok_or(Error::Corrupt(what))
    }

    /// The next column, JSON.
    pub(crate) fn json<T: DeserializeOwned>(&mut self, what: &'static str) -> Result<T> {
        serde_json::from_str(self.text()?).map_err(|_| Error::Corrupt(what))
    }

    fn advance(&mut self) -> usize {
        let at = self.next;
        self.next = at.saturating_add(1);
        at
    }
}

/// JSON of a value this program made.
///
/// # Errors
/// Never for our own types; kept so that a mistake is an error and not a panic.
pub(crate) fn json<T: serde::Serialize>(value: &T, what: &'static str) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::Corrupt(what))
}
