//! Nothing secret reaches a log, whatever its level.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use idp_core::client::ClientAuthMethod;
use idp_softkey::{Faults, Options};
use tracing::Instrument as _;
use tracing::level_filters::LevelFilter;

use crate::both;
use crate::world::acts::{PASSWORD, key};
use crate::world::{Answer, Db, World};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything the process logs from now on, at every level. One subscriber for all tests of the process: what other
/// tests log meanwhile is in it too and holds none of this test's secrets.
fn capture() -> Log {
    static LOG: std::sync::OnceLock<Log> = std::sync::OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
            .with_writer(move || writer.clone());
        tracing::subscriber::set_global_default(subscriber.finish()).expect("no other subscriber");
        log
    })
    .clone()
}

/// A whole day of one user; every secret that crossed the wire.
async fn day(w: &World) -> Vec<(&'static str, String)> {
    let rp = w.rp_with("vault", |s| s.auth_method = ClientAuthMethod::ClientSecretPost).await;
    let setup = w.setup_link().await;
    let mut owner = key(Options::platform());
    let mut browser = w.browser();
    let page = browser.get(&format!("/setup?token={setup}")).await;
    assert_eq!(page.status, 200);
    let body = serde_json::json!({ "pass": setup, "username": "owner" });
    let begun = browser.json("/webauthn/register/options", &body).await.value();
    assert_eq!(browser.register(&begun, &mut owner, &Faults::default()).await.status, 201);

    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let pass = w.access_pass(&ann).await;
    w.browser().get(&format!("/setup?token={pass}")).await;
    let mut browser = w.browser();
    browser.try_password("ann", "a wrong password, guessed").await;
    browser.try_password("ann", PASSWORD).await;
    let partial = browser.cookie("login").unwrap().to_owned();
    let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    browser.try_passkey(&mut ann.keys[0], &Faults::default()).await;
    browser.clone().try_passkey(&mut ann.keys[0], &Faults { break_signature: true, ..Faults::default() }).await;
    let ask = rp.ask();
    let code = Answer::of(&browser.open(&ask.url()).await).code();
    let answer = rp.redeem(w, &ask, &code).await;
    let tokens = w.accept(&rp, &ask, &code, &answer).await;
    assert_eq!(w.userinfo(&tokens.access_token).await.status, 200);
    // Faults log more than successes.
    assert_eq!(rp.redeem(w, &ask, &code).await.status, 400);
    assert_eq!(w.userinfo(&tokens.access_token).await.status, 401);
    let secret = rp.secret.clone().unwrap();
    vec![
        ("password", PASSWORD.to_owned()),
        ("password, encoded", PASSWORD.replace(' ', "+")),
        ("wrong password", "a wrong password, guessed".to_owned()),
        ("session cookie", browser.cookie("session").unwrap().to_owned()),
        ("browser cookie", browser.cookie("browser").unwrap().to_owned()),
        ("half sign-in", partial),
        ("code", code),
        ("verifier", ask.verifier.clone()),
        ("access token", tokens.access_token),
        ("ID token", tokens.id_token),
        ("token of a form", csrf),
        ("set-up link", setup),
        ("access pass", pass),
        ("client secret, encoded", crate::world::encode(&[("", &secret)])[1..].to_owned()),
        ("client secret", secret),
    ]
}

both! {
    async fn no_secret_is_logged_at_any_level(db) {
        let log = capture();
        let w = World::start(db).await;
        let secrets = day(&w).instrument(tracing::trace_span!("day")).await;
        let text = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
        assert!(text.contains("idp::request") && text.contains("/webauthn/authenticate"), "the log is there");
        for (what, secret) in secrets {
            assert!(secret.len() >= 8, "{what} is no secret");
            if let Some(at) = text.find(&secret) {
                let line = text[..at].rfind('\n').map_or(0, |n| n + 1);
                panic!("{what} in the log ({db:?}): {}", &text[line..at]);
            }
        }
        assert!(matches!(db, Db::Sqlite | Db::Postgres));
    }
}
