//! One mail as a message: addresses and subject as typed headers, which cannot be broken out of; text and HTML.
//!
//! RFC 5322 (headers), RFC 2046 §5.1.4 (alternatives), RFC 3834 §5 (nobody's absence notice answers it).

use std::time::{Duration, SystemTime};

use idp_core::account::{Account, name_key};
use idp_core::mail::{Mail, MailKind, is_impersonal};
use idp_core::realm::Realm;
use idp_core::secret::Secret;
use idp_core::time::Timestamp;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};

use super::MailError;
use crate::views::{Composed, LetterView, ViewError, Views};

/// A mail with its address.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// Unique and the same at each try: `Message-ID` is made of it.
    pub id: String,
    /// Host of the realm, in `Message-ID`.
    pub host: &'a str,
    pub at: Timestamp,
    pub name: &'a str,
    pub address: &'a str,
    pub words: Composed,
}

impl Letter<'_> {
    /// The message from `from`.
    ///
    /// # Errors
    /// [`MailError::Address`] for an address that is none.
    pub(super) fn message(&self, from: &Mailbox) -> Result<Message, MailError> {
        let to: Address = self.address.parse().map_err(|_| MailError::Address)?;
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(self.at.ms()).unwrap_or_default());
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let name = Some(one_line(self.name)).filter(|name| !name.is_empty());
        let message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(name, to))
            .date(at)
            .message_id(Some(format!("<{}@{}>", self.id, self.host)))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .subject(one_line(&self.words.subject))
            .multipart(MultiPart::alternative_plain_html(self.words.text.clone(), self.words.html.clone()))?;
        Ok(message)
    }
}

/// Control characters as blanks: a name is no way to a line of its own.
fn one_line(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What a mail says to its reader. `account` is who it is about, where there is (still) one; `secret` the code.
///
/// # Errors
/// A faulty theme.
pub fn compose<'a>(
    views: &Views,
    realm: &'a Realm,
    mail: &'a Mail,
    account: Option<&'a Account>,
    secret: Option<&Secret<String>>,
) -> Result<Letter<'a>, ViewError> {
    let host = realm.issuer.split("://").last().unwrap_or_default();
    let fact = |name: &str| mail.detail.get(name).and_then(|value| value.as_str()).map(one_line);
    let here = |account: &&Account| account.profile.email.as_deref().map(name_key) == Some(name_key(&mail.address));
    let stranger = is_impersonal(&mail.detail) || account.filter(here).is_some_and(|a| !a.profile.email_verified);
    // What people call themselves is for those alone who are them.
    let known = account.filter(|_| !stranger);
    let view = LetterView {
        template: mail.template.text(),
        kind: mail.template.kind(),
        realm_name: one_line(&realm.display_name),
        name: known.map(|account| one_line(account.display_name())),
        username: known.map(|account| account.username.clone()).or_else(|| fact("username")),
        what: ["passkey", "state", "email", "user"].into_iter().find_map(fact).unwrap_or_else(|| "none".to_owned()),
        automatic: mail.detail.get("automatic").is_some_and(|value| value == true),
        by: fact("by").unwrap_or_default(),
        at: mail.created,
        client: fact("browser"),
        place: fact("place"),
        code: secret.map(|secret| secret.expose().clone()),
        minutes: mail.expires.ms_since(mail.created) / 60_000,
        href: match (mail.template.kind(), secret) {
            (MailKind::Stop, Some(token)) => {
                format!("{}/account/recovery/cancel?token={}", realm.issuer, token.expose())
            }
            _ => format!("{}/account/security", realm.issuer),
        },
        until: mail.detail.get("ready").and_then(serde_json::Value::as_i64).map(|s| Timestamp::from_ms(s * 1000)),
        host: host.to_owned(),
    };
    let lang = account.and_then(|account| account.profile.locale.as_deref()).unwrap_or("en");
    let words = views.letter(&view, lang)?;
    // The outbox has the address in lower case; the account knows how its owner writes it.
    let written = account.and_then(|account| account.profile.email.as_deref());
    let address = written.filter(|email| name_key(email) == mail.address).unwrap_or(&mail.address);
    let name = known.map_or("", Account::display_name);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    Ok(Letter { id: mail.id.to_string(), host, at: mail.created, name, address, words })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter<'a>(name: &'a str, address: &'a str, subject: &str) -> Letter<'a> {
        let words = Composed { subject: subject.into(), text: "Text.\n".into(), html: "<p>Text.</p>".into() };
        Letter { id: "7".into(), host: "id.example.org", at: Timestamp::from_ms(0), name, address, words }
    }

    fn headers(letter: &Letter<'_>) -> String {
        let from = "Identity <id@example.org>".parse().unwrap();
        let message = String::from_utf8(letter.message(&from).unwrap().formatted()).unwrap();
        message.split("\r\n\r\n").next().unwrap().to_owned()
    }

    #[test]
    fn has_no_header_that_a_name_or_a_subject_brought_along() {
        for evil in ["Ada\r\nBcc: all@example.org", "Ada\nBcc: all@example.org\n\nBody", "\u{0}\rBcc: x@example.org"] {
            let found = headers(&letter(evil, "ada@example.org", evil));
            let names: Vec<_> = found.lines().filter(|line| !line.starts_with([' ', '\t'])).collect();
            assert!(!names.iter().any(|line| line.to_lowercase().starts_with("bcc")), "{found}");
            assert_eq!(names.len(), 8, "{found}");
        }
    }

    #[test]
    fn says_who_it_is_from_and_that_a_machine_wrote_it() {
        let found = headers(&letter("Ada Lovelace", "ada@example.org", "Grüße"));
        for line in [
            "From: Identity <id@example.org>",
            "To: \"Ada Lovelace\" <ada@example.org>",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000",
            "Message-ID: <7@id.example.org>",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(found.lines().any(|l| l == line), "{line} is not in\n{found}");
        }
        assert!(found.contains("Subject: =?utf-8?b?"), "{found}");
    }

    #[test]
    fn refuses_what_is_no_address() {
        let from = "id@example.org".parse().unwrap();
        for bad in ["", "ada", "ada@example.org\r\nBcc: x@example.org", "ada@example.org, eve@example.org", "a b@c.d"] {
            assert!(matches!(letter("", bad, "").message(&from), Err(MailError::Address)), "{bad}");
        }
    }
}
