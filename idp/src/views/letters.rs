//! Mails: what each is given, and its rendering as subject, text and HTML.
//!
//! A mail is read outside of our pages: its HTML has its style within, loads nothing, and its text is complete.

use idp_core::mail::MailKind;
use idp_core::time::Timestamp;
use serde::Serialize;
use tera::Context;

use super::{ViewError, Views};

/// Words of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// One mail; a template of `mail/` sees it as `page.…`.
#[derive(Clone, Debug, Serialize)]
pub struct LetterView {
    /// [`idp_core::mail::MailTemplate::text`]: its words begin with `mail-` and this.
    pub template: &'static str,
    #[serde(skip)]
    pub kind: MailKind,
    pub realm_name: String,
    /// What the reader is called.
    pub name: Option<String>,
    pub username: Option<String>,
    /// The passkey, state or address it is about; `none` where that is not told.
    pub what: String,
    /// A passkey that nobody was asked for.
    pub automatic: bool,
    /// Who did it: `self`, `operator`, `system`, `pass`.
    pub by: String,
    pub at: Timestamp,
    /// Browser and system of whoever did it, and the network, where known.
    pub client: Option<String>,
    pub place: Option<String>,
    pub code: Option<String>,
    /// How long the code is good for.
    pub minutes: i64,
    /// When what is under way can be finished.
    pub until: Option<Timestamp>,
    /// The account page, or what stops it, under the configured issuer.
    pub href: String,
    /// The issuer's host, to be read.
    pub host: String,
}

impl Views {
    /// A mail in a language.
    ///
    /// # Errors
    /// A template that uses what its mail does not have, or a word that is missing.
    pub fn letter(&self, letter: &LetterView, lang: &str) -> Result<Composed, ViewError> {
        let mut context = Context::new();
        context.insert_value("page", tera::Value::try_from_serializable(letter)?);
        context.insert("lang", self.words.lang(lang));
        let name = match letter.kind {
            MailKind::Notice => "notice",
            MailKind::Code => "code",
            MailKind::Stop => "stop",
        };
        let render = |file: String| self.tera.render(&file, &context);
        let subject = render("mail/subject.txt".to_owned())?.trim().to_owned();
        Ok(Composed { subject, text: render(format!("mail/{name}.txt"))?, html: render(format!("mail/{name}.html"))? })
    }
}
