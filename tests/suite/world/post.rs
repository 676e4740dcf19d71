//! The post: a product that sends mails into a folder, and the mails it sent.

use std::path::{Path, PathBuf};
use std::time::Duration;

use idp::mail::Options;

use super::{Db, World};

/// One mail as its reader sees it.
#[derive(Clone, Debug)]
pub struct Letter {
    /// `Name <address>`.
    pub to: String,
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// All of it.
    pub raw: String,
}

impl World {
    /// A product that tells people by mail.
    pub async fn mailing(db: Db) -> Self {
        let post = tempfile::tempdir().unwrap();
        let options = Options::folder(post.path().to_owned()).unwrap();
        Self { post: Some(post), ..Self::sending(db, options).await }
    }

    /// A product that sends mails that way.
    pub async fn sending(db: Db, options: Options) -> Self {
        let (url, folder) = Self::database(db).await;
        Self { folder, ..Self::open(url, Some(options), Default::default()).await }
    }

    /// A product that queues mails while nobody sends them, so that only requests cost statements.
    pub async fn queueing(db: Db) -> Self {
        let (url, folder) = Self::database(db).await;
        Self { folder, ..Self::opened(url, (None, true), Default::default()).await }
    }

    /// The same on the same database, after a restart.
    pub async fn again_queueing(&self) -> Self {
        Self::opened(self.db_url.clone(), (None, true), Default::default()).await
    }

    /// Another replica, with the same folder for mails.
    pub async fn second_that_mails(&self) -> Self {
        let folder = self.post.as_ref().expect("a world that sends mails").path().to_owned();
        Self::open(self.db_url.clone(), Some(Options::folder(folder).unwrap()), Default::default()).await
    }

    /// The mails sent so far, oldest first, once there are at least `count`. With 0: whatever came in a while.
    pub async fn letters(&self, count: usize) -> Vec<Letter> {
        let folder = self.post.as_ref().expect("a world that sends mails").path();
        for _ in 0..200 {
            let files = files(folder);
            if files.len() >= count && count > 0 {
                return files.iter().map(|file| read(file)).collect();
            }
            tokio::time::sleep(Duration::from_millis(if count == 0 { 3 } else { 50 })).await;
        }
        let files = files(folder);
        assert!(
            files.len() >= count,
            "{} of {count} mails came: {:?}",
            files.len(),
            files.iter().map(|f| read(f).subject)
        );
        files.iter().map(|file| read(file)).collect()
    }
}

impl World {
    /// The code of eight digits that was mailed and is not among `known`, once it came.
    pub async fn mailed_code(&self, known: &mut Vec<String>) -> String {
        self.letter_with_code(known).await.1
    }

    /// The same with the mail it came in.
    pub async fn letter_with_code(&self, known: &mut Vec<String>) -> (Letter, String) {
        let code = |letter: &Letter| {
            let digits = |line: &&str| line.len() == 8 && line.bytes().all(|b| b.is_ascii_digit());
            letter.text.lines().map(str::trim).find(digits).map(str::to_owned)
        };
        for _ in 0..200 {
            let codes = self.letters(1).await.into_iter().filter_map(|letter| code(&letter).map(|code| (letter, code)));
            if let Some(new) = codes.into_iter().find(|(_, code)| !known.contains(code)) {
                known.push(new.1.clone());
                return new;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no code came");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "eml")).collect();
    files.sort();
    files
}

fn read(file: &Path) -> Letter {
    let raw = std::fs::read_to_string(file).unwrap().replace("\r\n", "\n");
    let (head, body) = raw.split_once("\n\n").unwrap();
    let header = |name: &str| {
        let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
        let line = unfolded.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned));
        line.unwrap_or_else(|| panic!("no {name} in {head}"))
    };
    let (part_head, part) = body.split_once("text/plain").unwrap().1.split_once("\n\n").unwrap();
    let part = part.split(body.lines().next().unwrap()).next().unwrap();
    let text = if part_head.contains("quoted-printable") { from_quoted_printable(part) } else { part.to_owned() };
    Letter { to: header("To"), subject: header("Subject"), text, raw }
}

/// RFC 2045 §6.7.
fn from_quoted_printable(text: &str) -> String {
    let text = text.replace("=\n", "");
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'=').then(|| std::str::from_utf8(&after[..2]).unwrap());
        bytes.push(escaped.map_or(first, |hex| u8::from_str_radix(hex, 16).unwrap()));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap()
}
