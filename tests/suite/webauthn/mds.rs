//! FIDO's metadata: taken, held, refused, and what they do to passkeys that are registered.

use idp::jobs::mds::turn;
use idp::mds::{MdsError, Options as MdsOptions, Outcome, Source, refresh, release, take};
use idp_core::account::Role;
use idp_core::audit::{Actor, AuditEvent};
use idp_core::passkey::mds::blob::{BlobError, Signer};
use idp_core::passkey::mds::{ModelKey, Status};
use idp_core::passkey::record::PasskeyState;
use idp_softkey::{Faults, Maker, Options};
use idp_store::accounts::SetRole;
use idp_store::audit::AuditFilter;
use idp_store::mds::Slot;

use super::attestation::{MODEL, attested, publish, register, world};
use crate::both;
use crate::world::acts::{Of, STAFF, refused};
use crate::world::{Db, OUTSIDE, Outside, Person, Reply, World};

const LENIENT: &[(&str, &str)] = &[("attestation", "direct"), ("resident_key", "discouraged")];

async fn state(w: &World, person: &Person) -> (PasskeyState, Option<String>) {
    let kept = w.passkey(person, 0).await;
    (kept.state, kept.suspended_reason)
}

fn active() -> (PasskeyState, Option<String>) {
    (PasskeyState::Active, None)
}

fn suspended(reason: &str) -> (PasskeyState, Option<String>) {
    (PasskeyState::Suspended, Some(reason.to_owned()))
}

both! {
    async fn a_model_turned_revoked_suspends_its_passkeys_and_ends_what_they_opened(db) {
        let maker = Maker::new("Maker");
        let w = world(db, &maker, 100).await;
        publish(&w, &maker, 1, &[maker.entry(MODEL, &["FIDO_CERTIFIED"])]).await;
        w.policy_fields(LENIENT).await;
        let rp = w.rp("app").await;
        let mut ann = w.person_with_key("ann", attested(&maker)).await;
        let mut bob = w.person_with_key("bob", Options { aaguid: [8; 16], ..attested(&maker) }).await;
        let (mut anns, mut bobs) = (w.browser(), w.browser());
        let (hers, his) = (w.tokens(&mut anns, &mut ann, &rp).await, w.tokens(&mut bobs, &mut bob, &rp).await);

        let entries = [maker.entry(MODEL, &["FIDO_CERTIFIED", "REVOKED"]), maker.entry([8; 16], &[])];
        let outcome = publish(&w, &maker, 2, &entries).await;
        assert_eq!(outcome, Outcome::Accepted { number: 2, models: 2, skipped: 0, suspended: 1 });
        assert_eq!(state(&w, &ann).await, suspended("mds:REVOKED"));
        assert_eq!(state(&w, &bob).await, active());
        assert!(!anns.is_signed_in().await && bobs.is_signed_in().await);
        assert_eq!(w.userinfo(&hers.access_token).await.status, 401);
        assert_eq!(w.userinfo(&his.access_token).await.status, 200);
        let rows = w.audit_rows(&ann, AuditEvent::PasskeySuspended).await;
        assert_eq!(rows.len(), 1);
        assert!(rows[0].detail.to_string().contains("mds:REVOKED"), "{}", rows[0].detail);
        let answer = w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await;
        assert_eq!(answer.verdict(), refused(403, "passkey_suspended"));
        assert_eq!(register(&w, &ann, attested(&maker)).await, refused(403, "model_status"));
    }

    async fn one_that_would_suspend_too_much_waits_for_an_admin(db) {
        let maker = Maker::new("Maker");
        let w = world(db, &maker, 50).await;
        publish(&w, &maker, 1, &[maker.entry(MODEL, &[])]).await;
        w.policy_fields(LENIENT).await;
        let mut ann = w.person_with_key("ann", attested(&maker)).await;
        let bob = w.person_with_key("bob", attested(&maker)).await;
        let eve = w.person_with_key("eve", Options::synced()).await;
        let revoked = [maker.entry(MODEL, &["REVOKED"])];
        let Outcome::Held { number: 2, because } = publish(&w, &maker, 2, &revoked).await else { panic!("it acted") };
        assert_eq!(because, "realm default: 2 of 3 passkeys would be suspended, more than 50 %");
        assert_eq!((state(&w, &ann).await, state(&w, &bob).await), (active(), active()));
        assert_eq!(w.browser().try_passkey(&mut ann.keys[0], &Faults::default()).await.status, 200);
        // Nobody registers such a key meanwhile.
        assert_eq!(register(&w, &ann, attested(&maker)).await, refused(403, "model_status"));
        // A job that finds it again does not tell again.
        assert!(matches!(publish(&w, &maker, 2, &revoked).await, Outcome::Held { .. }));
        let filter = AuditFilter { event: Some(AuditEvent::MdsHeld), ..AuditFilter::default() };
        assert_eq!(w.app.store.list_audit(w.realm, &filter, 10).await.unwrap().len(), 1);

        assert_eq!(release(&w.app).await.unwrap(), Outcome::Accepted { number: 2, models: 1, skipped: 0, suspended: 2 });
        assert_eq!((state(&w, &ann).await, state(&w, &eve).await), (suspended("mds:REVOKED"), active()));
        assert!(matches!(release(&w.app).await, Err(MdsError::NothingHeld)));
        let kept = w.app.store.list_mds_blobs().await.unwrap();
        assert_eq!(kept.iter().map(|kept| (kept.slot, kept.number)).collect::<Vec<_>>(), [(Slot::Current, 2)]);
    }

    async fn a_broken_or_older_one_changes_nothing(db) {
        let maker = Maker::new("Maker");
        let w = world(db, &maker, 100).await;
        w.policy_fields(LENIENT).await;
        publish(&w, &maker, 5, &[maker.entry(MODEL, &[])]).await;
        let ann = w.person_with_key("ann", attested(&maker)).await;
        let revoked = [maker.entry(MODEL, &["REVOKED"])];
        let mut tampered = maker.blob(6, "2030-01-31", &revoked).into_bytes();
        let last = tampered.len() - 5;
        tampered[last] = if tampered[last] == b'A' { b'B' } else { b'A' };
        let taken = async |bytes: Vec<u8>| take(&w.app, bytes, Actor::Operator, true).await;
        for (bytes, error) in [
            (b"no blob".to_vec(), BlobError::Form),
            (tampered, BlobError::Signature),
            (Maker::new("Maker").blob(6, "2030-01-31", &revoked).into_bytes(), BlobError::Chain),
            (maker.blob(6, "some day", &revoked).into_bytes(), BlobError::Payload),
        ] {
            assert!(matches!(taken(bytes).await, Err(MdsError::Blob(found)) if found == error));
        }
        let older = taken(maker.blob(4, "2030-01-31", &revoked).into_bytes()).await;
        assert!(matches!(older, Err(MdsError::Older { number: 4, counts: 5 })));
        let same = taken(maker.blob(5, "2030-01-31", &revoked).into_bytes()).await;
        assert_eq!(same.unwrap(), Outcome::Same { number: 5 });
        assert_eq!(state(&w, &ann).await, active());
        let entry = w.app.store.find_model(&ModelKey::Aaguid(MODEL)).await.unwrap().unwrap();
        assert!(!entry.statuses.contains(&Status::Revoked));
        assert_eq!(w.app.store.list_mds_blobs().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_owners_last_passkey_is_not_taken_without_an_admin() {
    let maker = Maker::new("Maker");
    let w = world(Db::Sqlite, &maker, 100).await;
    w.policy_fields(LENIENT).await;
    let mut ann = w.person_with_key("ann", attested(&maker)).await;
    let op = SetRole {
        realm: w.realm,
        id: ann.id,
        role: Role::Owner,
        now: w.clock.now(),
        audit: w.audit(AuditEvent::AccountChanged),
    };
    w.app.store.write(op).await.unwrap();
    let revoked = [maker.entry(MODEL, &["USER_KEY_REMOTE_COMPROMISE"])];
    let Outcome::Held { because, .. } = publish(&w, &maker, 1, &revoked).await else { panic!("it acted") };
    assert_eq!(because, "realm default: these owners would lose their last passkey: ann");
    w.add_passkey(&mut ann, Options::synced()).await;
    assert!(matches!(publish(&w, &maker, 1, &revoked).await, Outcome::Accepted { suspended: 1, .. }));
    assert_eq!(state(&w, &ann).await, suspended("mds:USER_KEY_REMOTE_COMPROMISE"));
}

#[tokio::test]
async fn a_policy_that_refuses_no_status_suspends_nothing() {
    let maker = Maker::new("Maker");
    let w = world(Db::Sqlite, &maker, 0).await;
    w.policy_fields(&[LENIENT, &[("mds_refuse_status", "none")]].concat()).await;
    let ann = w.person_with_key("ann", attested(&maker)).await;
    let outcome = publish(&w, &maker, 1, &[maker.entry(MODEL, &["REVOKED"])]).await;
    assert_eq!(outcome, Outcome::Accepted { number: 1, models: 1, skipped: 0, suspended: 0 });
    // But what is known is known: the record bears it for a policy that is tightened later.
    assert!(w.passkey(&ann, 0).await.model.statuses.contains(&Status::Revoked));
    w.policy(|p| p.set("mds_refuse_status", "REVOKED").unwrap()).await;
    assert_eq!(register(&w, &ann, attested(&maker)).await, refused(403, "model_status"));
}

#[tokio::test]
async fn a_group_refuses_statuses_of_its_own() {
    let maker = Maker::new("Maker");
    let w = world(Db::Sqlite, &maker, 100).await;
    publish(&w, &maker, 1, &[maker.entry(MODEL, &[])]).await;
    w.policy_fields(&[LENIENT, &[("mds_refuse_status", "none")]].concat()).await;
    let staff = w.person_with_key("staff", attested(&maker)).await;
    let mut other = w.person_with_key("other", attested(&maker)).await;
    w.join(&staff, &[STAFF]).await;
    w.policy_of(Of::Group, |p| p.set("mds_refuse_status", "UPDATE_AVAILABLE").unwrap()).await;
    let outcome = publish(&w, &maker, 2, &[maker.entry(MODEL, &["UPDATE_AVAILABLE", "REVOKED"])]).await;
    assert_eq!(outcome, Outcome::Accepted { number: 2, models: 1, skipped: 0, suspended: 1 });
    assert_eq!((state(&w, &staff).await, state(&w, &other).await), (suspended("mds:UPDATE_AVAILABLE"), active()));
    assert_eq!(register(&w, &staff, attested(&maker)).await, refused(403, "model_status"));
    assert_eq!(register(&w, &other, attested(&maker)).await.0, 201);
    assert_eq!(w.browser().try_passkey(&mut other.keys[0], &Faults::default()).await.stand(), "complete");
}

#[tokio::test]
async fn by_default_more_than_one_in_twenty_waits_for_an_admin() {
    let maker = Maker::new("Maker");
    for (others, acts) in [(19, true), (18, false)] {
        let w = world(Db::Sqlite, &maker, MdsOptions::default().hold_percent).await;
        w.policy_fields(&[LENIENT, &[("max_passkeys", "50")]].concat()).await;
        let ann = w.person_with_key("ann", attested(&maker)).await;
        let mut many = w.account("many", None).await;
        for _ in 0..others {
            w.add_passkey(&mut many, Options::synced()).await;
        }
        let outcome = publish(&w, &maker, 1, &[maker.entry(MODEL, &["REVOKED"])]).await;
        match outcome {
            Outcome::Accepted { suspended: 1, .. } => assert!(acts),
            Outcome::Held { because, .. } => {
                assert!(!acts);
                assert_eq!(because, "realm default: 1 of 19 passkeys would be suspended, more than 5 %");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(state(&w, &ann).await == active(), !acts);
    }
}

#[tokio::test]
async fn the_job_looks_once_a_day_and_again_after_an_hour_where_it_failed() {
    let maker = Maker::new("Maker");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("blob.jwt");
    let signer = Signer::own(vec![maker.root().to_vec()]);
    let source = Some(Source::File(file.clone()));
    let w = World::start_with(Db::Sqlite, MdsOptions { source, signer, hold_percent: 5 }).await;
    let write = |number| std::fs::write(&file, maker.blob(number, "2030-01-31", &[])).unwrap();
    let counts = async || w.app.store.list_mds_blobs().await.unwrap().first().map(|kept| kept.number);
    let mut due = turn(&w.app, w.clock.now()).await;
    assert_eq!((counts().await, due), (None, w.clock.now().plus_s(3600)), "there is no file yet");
    write(1);
    for (seconds, number, next_s) in [(3599, None, 1), (1, Some(1), 86_400), (86_399, Some(1), 1), (1, Some(2), 86_400)]
    {
        w.clock.advance(seconds);
        due = turn(&w.app, due).await;
        assert_eq!((counts().await, due), (number, w.clock.now().plus_s(next_s)));
        if number == Some(1) {
            write(2);
        }
    }
    std::fs::remove_file(&file).unwrap();
    w.clock.advance(86_400);
    assert_eq!(turn(&w.app, due).await, w.clock.now().plus_s(3600));
    assert_eq!(counts().await, Some(2), "what is known still counts");
}

#[tokio::test]
async fn it_is_fetched_through_the_guard_or_read_from_a_file() {
    let maker = Maker::new("Maker");
    let outside = Outside::at(OUTSIDE).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("blob.jwt");
    let signer = Signer::own(vec![maker.root().to_vec()]);
    let at = |source: Source| MdsOptions { source: Some(source), signer: signer.clone(), hold_percent: 5 };
    let blob = |number| maker.blob(number, "2030-01-31", &[maker.entry(MODEL, &[])]);

    let w = World::start_with(Db::Sqlite, at(Source::Url(outside.url("/blob")))).await;
    outside.answers(Reply::Status(500));
    assert!(matches!(refresh(&w.app).await, Err(MdsError::Fetch(_))));
    outside.answers(Reply::Text(blob(3)));
    assert!(matches!(refresh(&w.app).await.unwrap(), Outcome::Accepted { number: 3, .. }));
    assert_eq!(refresh(&w.app).await.unwrap(), Outcome::Same { number: 3 });
    outside.answers(Reply::Text(blob(2)));
    assert!(matches!(refresh(&w.app).await, Err(MdsError::Older { .. })));

    let w = World::start_with(Db::Sqlite, at(Source::File(file.clone()))).await;
    assert!(matches!(refresh(&w.app).await, Err(MdsError::File { .. })));
    std::fs::write(&file, blob(1)).unwrap();
    assert!(matches!(refresh(&w.app).await.unwrap(), Outcome::Accepted { number: 1, .. }));

    let forbidden = Source::Url("http://10.0.0.1/blob".to_owned());
    let w = World::start_with(Db::Sqlite, at(forbidden)).await;
    assert!(matches!(refresh(&w.app).await, Err(MdsError::Fetch(_))));
    let w = World::sqlite().await;
    assert!(matches!(refresh(&w.app).await, Err(MdsError::NoSource)));
}
