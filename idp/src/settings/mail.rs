//! Section `mail`: over which server mails go, or into which folder; neither: none are sent.

use idp_core::secret::Secret;

use super::load::Reader;
use super::problem::Problem;
use super::{number, path};
use crate::mail::{From, Options, Route, Smtp, SmtpTls};

/// Reads the section. `Some(None)`: no mails; `None`: a problem was reported.
pub fn read(reader: &mut Reader, warnings: &mut Vec<Problem>) -> Option<Option<Options>> {
    let host = reader.raw("mail.smtp_host").is_some().then(|| reader.text("mail.smtp_host", host));
    let folder = path(reader, "mail.folder");
    let smtp = smtp(reader, warnings);
    let from = reader.raw("mail.from").is_some().then(|| reader.text("mail.from", From::parse));
    let refuse = |reader: &mut Reader, key: &'static str, what: &str, instead: &str| {
        reader.report(key, reader.origin(key), what.to_owned(), instead);
        None
    };
    let route = match (host, folder) {
        (None, None) => {
            let orphan = ["mail.from", "mail.smtp_port", "mail.username", "mail.password", "mail.ca_file"];
            if let Some(key) = orphan.into_iter().find(|key| reader.raw(key).is_some()) {
                return refuse(reader, key, "is set, but no server", "set `mail.smtp_host` (or `mail.folder`)");
            }
            return Some(None);
        }
        (Some(_), Some(_)) => {
            let instead = "set `mail.smtp_host` to send mails, or `mail.folder` to keep them as files";
            return refuse(reader, "mail.folder", "is set beside `mail.smtp_host`", instead);
        }
        (Some(host), None) => Route::Smtp(Smtp { host: host?, ..smtp? }),
        (None, Some(folder)) => Route::Folder(folder),
    };
    let Some(from) = from else {
        let instead = "write `from = …` with an address, for example \"Identity <id@example.org>\"";
        return refuse(reader, "mail.from", "is required to send mails", instead);
    };
    Some(Some(Options { route, from: from? }))
}

/// Everything but the host.
fn smtp(reader: &mut Reader, warnings: &mut Vec<Problem>) -> Option<Smtp> {
    let tls = reader.text("mail.smtp_tls", |text| match text {
        "starttls" => Some(SmtpTls::StartTls),
        "tls" => Some(SmtpTls::Tls),
        "none" => Some(SmtpTls::Plain),
        _ => None,
    });
    let port = reader.raw("mail.smtp_port").is_some().then(|| number(reader, "mail.smtp_port"));
    let username = reader.text("mail.username", |text| (!text.is_empty()).then(|| text.to_owned()));
    let password = reader.text("mail.password", |text| (!text.is_empty()).then(|| Secret::new(text.to_owned())));
    let login = match (username, password) {
        (Some(username), Some(password)) => Some((username, password)),
        (None, None) => None,
        (username, _) => {
            let missing = if username.is_some() { "mail.password" } else { "mail.username" };
            reader.report(
                missing,
                reader.origin(missing),
                "is missing".into(),
                "set user name and password, or neither",
            );
            return None;
        }
    };
    if tls == Some(SmtpTls::Plain) && login.is_some() {
        warnings.push(Problem {
            path: "mail.smtp_tls".into(),
            origin: reader.origin("mail.smtp_tls"),
            what: "user name and password go to the SMTP server in the clear".into(),
            instead: "use \"starttls\" or \"tls\", unless the server is on this machine".into(),
        });
    }
    let authority = match path(reader, "mail.ca_file").map(|file| (std::fs::read(&file), file)) {
        None => None,
        Some((Ok(pem), _)) => Some(pem),
        Some((Err(error), file)) => {
            let what = format!("{} cannot be read: {error}", file.display());
            reader.report("mail.ca_file", reader.origin("mail.ca_file"), what, "name a certificate in PEM");
            return None;
        }
    };
    let port = match port {
        None => None,
        Some(port) => Some(u16::try_from(port?).ok()?),
    };
    Some(Smtp { host: String::new(), port, tls: tls?, login, authority })
}

/// A host name or an address, without scheme and port.
fn host(text: &str) -> Option<String> {
    url::Host::parse(text).ok().map(|host| host.to_string())
}
