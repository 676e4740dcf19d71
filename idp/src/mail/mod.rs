//! Sending mails: over SMTP, or as files into a folder. The only place that knows lettre.
//!
//! RFC 5321 (SMTP), RFC 3207 and RFC 8314 (TLS for it), RFC 5322 (messages).

mod compose;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use idp_core::secret::Secret;
use lettre::message::Mailbox;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

pub use compose::{Letter, compose};

/// How a certificate in PEM begins (RFC 7468 §5).
const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";
/// Time for each step of a conversation with an SMTP server.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The sender of all mails, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct From(Mailbox);

impl From {
    /// `name@example.org` or `Name <name@example.org>`.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// How the connection to an SMTP server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// Begins in the clear and must turn to TLS; port 587.
    StartTls,
    /// TLS from the first byte; port 465.
    Tls,
    /// None at all; port 25.
    Plain,
}

/// An SMTP server that takes our mails.
#[derive(Clone, Debug)]
pub struct Smtp {
    pub host: String,
    /// `None`: that of its kind of protection.
    pub port: Option<u16>,
    pub tls: SmtpTls,
    /// User name and password.
    pub login: Option<(String, Secret<String>)>,
    /// A certificate authority besides the system's, in PEM.
    pub authority: Option<Vec<u8>>,
}

/// Where mails go.
#[derive(Clone, Debug)]
pub enum Route {
    Smtp(Smtp),
    /// One `.eml` file each.
    Folder(PathBuf),
}

/// Section `mail` of the settings.
#[derive(Clone, Debug)]
pub struct Options {
    pub route: Route,
    pub from: From,
}

impl Options {
    /// Files into a folder, as `dev` does it.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn folder(folder: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let from = Mailbox::new(None, lettre::Address::new("idp", "localhost").map_err(io::Error::other)?);
        Ok(Self { route: Route::Folder(folder), from: From(from) })
    }
}

/// Why a mail was not sent. The text names no person.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("the address cannot be written to")]
    Address,
    #[error("the mail cannot be put together")]
    Compose(#[from] lettre::error::Error),
    #[error("no certificate in PEM")]
    Authority,
    #[error("the SMTP server did not take it")]
    Smtp(#[from] smtp::Error),
    #[error("the file cannot be written")]
    File(#[from] io::Error),
}

impl MailError {
    /// Whether trying again is in vain: the address is none, or the server knows no such mailbox (RFC 5321 §4.2.3).
    pub fn is_final(&self) -> bool {
        match self {
            Self::Address | Self::Compose(_) | Self::Authority => true,
            Self::Smtp(error) => error.status().is_some_and(|code| matches!(u16::from(code), 550 | 551 | 553)),
            Self::File(_) => false,
        }
    }

    /// One word for logs and audit rows.
    pub fn reason(&self) -> String {
        match self {
            Self::Address => "address".to_owned(),
            Self::Compose(_) | Self::Authority => "compose".to_owned(),
            Self::File(_) => "file".to_owned(),
            Self::Smtp(error) => match error.status() {
                Some(code) => code.to_string(),
                None if error.is_timeout() => "timeout".to_owned(),
                None if error.is_tls() => "tls".to_owned(),
                None => "connection".to_owned(),
            },
        }
    }
}

/// Sends mails.
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

impl Mailer {
    /// From the settings; connects to nobody yet.
    ///
    /// # Errors
    /// A certificate authority that is none.
    pub fn new(options: &Options) -> Result<Self, MailError> {
        let way = match &options.route {
            Route::Smtp(smtp) => Way::Smtp(transport(smtp)?),
            Route::Folder(folder) => Way::Folder(folder.clone()),
        };
        Ok(Self { from: options.from.0.clone(), way })
    }

    /// Whether the server takes us in, or the folder a file, without sending anything.
    ///
    /// # Errors
    /// [`MailError`].
    pub async fn test(&self) -> Result<(), MailError> {
        match &self.way {
            Way::Smtp(transport) => Ok(transport.test_connection().await.map(drop)?),
            Way::Folder(folder) => {
                let file = folder.join("doctor.part");
                tokio::fs::write(&file, b"").await?;
                Ok(tokio::fs::remove_file(file).await?)
            }
        }
    }

    /// Sends a letter. Once for each call: whoever calls remembers whether it went.
    ///
    /// # Errors
    /// [`MailError`].
    pub async fn send(&self, letter: &Letter<'_>) -> Result<(), MailError> {
        let message = letter.message(&self.from)?;
        match &self.way {
            Way::Smtp(transport) => Ok(transport.send(message).await.map(drop)?),
            Way::Folder(folder) => Ok(write(folder, letter, &message).await?),
        }
    }
}

fn transport(smtp: &Smtp) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
    let parameters = || -> Result<TlsParameters, MailError> {
        let mut parameters = TlsParameters::builder(smtp.host.clone());
        if let Some(pem) = &smtp.authority {
            // What is no certificate would be skipped in silence.
            if !pem.windows(PEM.len()).any(|bytes| bytes == PEM) {
                return Err(MailError::Authority);
            }
            parameters = parameters.add_root_certificate(Certificate::from_pem(pem)?);
        }
        Ok(parameters.build_rustls()?)
    };
    let (tls, port) = match smtp.tls {
        SmtpTls::StartTls => (Tls::Required(parameters()?), 587),
        SmtpTls::Tls => (Tls::Wrapper(parameters()?), 465),
        SmtpTls::Plain => (Tls::None, 25),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
        .tls(tls)
        .port(smtp.port.unwrap_or(port))
        .timeout(Some(TIMEOUT));
    if let Some((user, password)) = &smtp.login {
        builder = builder.credentials(Credentials::new(user.clone(), password.expose().clone()));
    }
    Ok(builder.build())
}

/// A file whose name sorts by time; whole as soon as it is there.
async fn write(folder: &Path, letter: &Letter<'_>, message: &Message) -> io::Result<()> {
    let name = format!("{}-{}", letter.at.ms(), letter.id);
    let (open, done) = (folder.join(format!("{name}.part")), folder.join(format!("{name}.eml")));
    tokio::fs::write(&open, message.formatted()).await?;
    tokio::fs::rename(open, done).await
}
