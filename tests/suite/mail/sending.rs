//! Sending: over SMTP with and without a server, once each, and what becomes of what cannot be sent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use idp::mail::{From, Mailer, Options, Route, Smtp, SmtpTls};
use idp_core::audit::AuditEvent;
use idp_core::id::MailId;
use idp_core::mail::{Mail, MailTemplate};
use idp_core::seal::Purpose;
use idp_store::audit::AuditFilter;
use idp_store::mails::QueueMail;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{Db, World};

/// An SMTP server that says `rcpt` to each recipient; what it was sent.
async fn server(rcpt: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    slow_server(rcpt, Duration::ZERO).await
}

/// The same, that takes its time for each recipient.
async fn slow_server(rcpt: &'static str, time: Duration) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let got = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&got);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream, rcpt, time, Arc::clone(&kept)));
        }
    });
    (port, got)
}

async fn talk(stream: TcpStream, rcpt: &'static str, time: Duration, kept: Arc<Mutex<Vec<String>>>) {
    let (read, mut write) = stream.into_split();
    let (mut lines, mut mail, mut in_mail) = (BufReader::new(read).lines(), String::new(), false);
    write.write_all(b"220 test\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "." if in_mail => {
                in_mail = false;
                kept.lock().unwrap().push(std::mem::take(&mut mail));
                "250 kept"
            }
            _ if in_mail => {
                mail.push_str(&line);
                mail.push('\n');
                continue;
            }
            "EHLO" => "250 test",
            "RCPT" => {
                tokio::time::sleep(time).await;
                rcpt
            }
            "DATA" => {
                in_mail = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        if write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            break;
        }
    }
}

fn over_smtp(port: u16) -> Options {
    let smtp = Smtp { host: "127.0.0.1".into(), port: Some(port), tls: SmtpTls::Plain, login: None, authority: None };
    Options { route: Route::Smtp(smtp), from: From::parse("Identity <id@example.org>").unwrap() }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..100 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not happen");
}

/// A code for a stranger's address, good for ten minutes.
fn code(w: &World, address: &str) -> QueueMail {
    let sealed = w.app.sealer().seal_bytes(Purpose::Mail, w.realm, w.app.random(), b"K7QP-2M9X").unwrap();
    let now = w.clock.now();
    let mail = Mail {
        id: MailId::new(now, w.app.random()),
        account_id: None,
        address: address.to_owned(),
        template: MailTemplate::AddressCode,
        detail: serde_json::json!({}),
        secret_sealed: Some(sealed),
        created: now,
        expires: now.plus_s(600),
    };
    QueueMail { realm: w.realm, mail, audit: None }
}

async fn undelivered(w: &World) -> Vec<serde_json::Value> {
    let filter = AuditFilter { event: Some(AuditEvent::MailUndelivered), ..AuditFilter::default() };
    w.app.store.list_audit(w.realm, &filter, 10).await.unwrap().into_iter().map(|row| row.detail).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_goes_over_smtp_at_once_and_lies_nowhere_in_the_clear() {
    let (port, got) = server("250 ok").await;
    let w = World::sending(Db::Sqlite, over_smtp(port)).await;
    w.app.store.write(code(&w, "new@example.org")).await.unwrap();
    until("the mail", async || !got.lock().unwrap().is_empty()).await;
    let mail = got.lock().unwrap()[0].clone();
    assert!(mail.contains("K7QP-2M9X") && mail.contains("works for 10 minutes"), "{mail}");
    assert!(mail.contains("To: new@example.org\n") && mail.contains("From: Identity <id@example.org>\n"), "{mail}");
    until("the end", async || !w.app.store.has_due_mail(w.clock.now().plus_s(7200)).await.unwrap()).await;
    assert_eq!(undelivered(&w).await, Vec::<serde_json::Value>::new());
    let db = std::fs::read(w.folder().join("idp.db")).unwrap();
    let wal = std::fs::read(w.folder().join("idp.db-wal")).unwrap_or_default();
    assert!(![db, wal].iter().any(|file| file.windows(9).any(|bytes| bytes == b"K7QP-2M9X")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_mailbox_is_given_up_at_once_and_audited() {
    let (port, got) = server("550 no such mailbox").await;
    let w = World::sending(Db::Sqlite, over_smtp(port)).await;
    w.app.store.write(code(&w, "nobody@example.org")).await.unwrap();
    until("an audit row", async || !undelivered(&w).await.is_empty()).await;
    let expected = serde_json::json!({ "template": "address-code", "reason": "550", "attempts": 1 });
    assert_eq!(undelivered(&w).await, [expected]);
    assert!(got.lock().unwrap().is_empty());
    assert!(!w.app.store.has_due_mail(w.clock.now().plus_s(7200)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_down_is_tried_again_and_a_late_code_is_not_sent() {
    let (port, got) = server("451 later").await;
    let w = World::sending(Db::Sqlite, over_smtp(port)).await;
    w.app.store.write(code(&w, "new@example.org")).await.unwrap();
    let due = async |seconds| w.app.store.has_due_mail(w.clock.now().plus_s(seconds)).await.unwrap();
    // Put off by its backoff, not by the lease.
    until("the first try", async || !due(0).await && due(60).await).await;
    assert_eq!(undelivered(&w).await, Vec::<serde_json::Value>::new());
    w.clock.advance(601);
    w.app.store.write(code(&w, "other@example.org")).await.unwrap();
    until("the end of the first", async || !undelivered(&w).await.is_empty()).await;
    assert_eq!(undelivered(&w).await[0]["reason"], "late");
    assert!(got.lock().unwrap().is_empty());
}

#[tokio::test]
async fn two_products_on_one_database_send_each_mail_once() {
    let w = World::mailing(Db::Sqlite).await;
    let other = w.second_that_mails().await;
    for i in 0..30 {
        let at = if i % 2 == 0 { &w } else { &other };
        at.app.store.write(code(at, &format!("a{i}@example.org"))).await.unwrap();
    }
    let letters = w.letters(30).await;
    let mut to: Vec<_> = letters.iter().map(|letter| letter.to.clone()).collect();
    to.sort();
    to.dedup();
    assert_eq!((letters.len(), to.len()), (30, 30));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_for_what_is_being_sent_and_not_for_a_long_queue() {
    let (port, got) = slow_server("250 ok", Duration::from_millis(100)).await;
    let mut w = World::sending(Db::Sqlite, over_smtp(port)).await;
    let codes = (0..150).map(|n| w.app.store.write(code(&w, &format!("a{n}@example.org"))));
    assert!(futures_util::future::join_all(codes).await.iter().all(Result::is_ok));
    until("the first mail", async || !got.lock().unwrap().is_empty()).await;
    w.stop().await;
    let sent = got.lock().unwrap().len();
    assert!((1..100).contains(&sent), "{sent} of 150 were sent");
}

#[test]
fn a_certificate_authority_that_is_none_is_found_at_start() {
    let starts = |authority: Option<&[u8]>| {
        let authority = authority.map(<[u8]>::to_vec);
        let smtp = Smtp { host: "smtp.example.org".into(), port: None, tls: SmtpTls::StartTls, login: None, authority };
        Mailer::new(&Options { route: Route::Smtp(smtp), ..over_smtp(25) }).is_ok()
    };
    assert!(starts(None) && !starts(Some(b"no certificate")));
}
