//! The FIDO metadata: kept, looked up, and written to passkeys.

use idp_core::audit::AuditEvent;
use idp_core::passkey::mds::{Certification, Entry, Model, ModelKey, Status};
use idp_core::passkey::record::{Attestation, Passkey, PasskeyState};
use idp_store::audit::AuditFilter;
use idp_store::mds::*;
use idp_store::passkey_removal::SuspendPasskey;

use crate::both;
use crate::fixtures::*;

const MODEL: ModelKey = ModelKey::Aaguid([7; 16]);

fn entry(description: &str) -> Entry {
    Entry {
        description: description.to_owned(),
        statuses: [Status::UpdateAvailable].into(),
        certification: Certification::L1,
        hardware: true,
        roots: vec![vec![1, 2, 3]],
    }
}

fn keep(slot: Slot, number: i64, entries: Vec<(ModelKey, Entry)>) -> KeepMdsBlob {
    KeepMdsBlob {
        slot,
        number,
        next_update: NOW.plus_s(86_400),
        held_because: (slot == Slot::Held).then(|| "too much".to_owned()),
        blob: vec![0xee; 5],
        entries,
        now: NOW,
        audits: vec![(REALM, audit(AuditEvent::MdsAccepted))],
    }
}

fn attested(passkey: Passkey) -> Passkey {
    let attestation = Attestation::Verified;
    Passkey { attestation, attestation_root: Some([9; 32]), attestation_hardware: true, ..passkey }
}

both! {
    async fn a_blob_counts_until_a_later_one_does(db) {
        let store = &db.store;
        assert!(store.write(keep(Slot::Current, 3, vec![(MODEL, entry("three"))])).await.unwrap());
        for number in [3, 2] {
            assert!(!store.write(keep(Slot::Current, number, Vec::new())).await.unwrap());
            assert!(!store.write(keep(Slot::Held, number, Vec::new())).await.unwrap());
        }
        assert_eq!(store.find_model(&MODEL).await.unwrap(), Some(entry("three")));
        assert_eq!(store.find_model(&ModelKey::KeyId([7; 20])).await.unwrap(), None);
        assert_eq!(store.find_mds_blob(Slot::Current).await.unwrap(), Some(vec![0xee; 5]));
        let four = vec![(ModelKey::KeyId([7; 20]), entry("four")), (ModelKey::KeyId([7; 20]), entry("again"))];
        assert!(store.write(keep(Slot::Current, 4, four)).await.unwrap());
        assert_eq!(store.find_model(&MODEL).await.unwrap(), None);
        assert_eq!(store.find_model(&ModelKey::KeyId([7; 20])).await.unwrap(), Some(entry("four")), "the first of two");
        let filter = AuditFilter { event: Some(AuditEvent::MdsAccepted), ..AuditFilter::default() };
        assert_eq!(store.list_audit(REALM, &filter, 10).await.unwrap().len(), 2);
    }

    async fn one_of_many_processes_that_fetched_a_blob_keeps_it(db) {
        let (store, other) = (&db.store, db.other().await);
        for number in 1..6 {
            let keep = |n: u64| if n.is_multiple_of(2) { store } else { &other }.write(keep(Slot::Current, number, vec![(MODEL, entry("news"))]));
            let kept = futures_util::future::join_all((0..8).map(keep)).await;
            assert_eq!(kept.into_iter().filter(|kept| *kept.as_ref().unwrap()).count(), 1, "of BLOB {number}");
            assert_eq!(store.find_model(&MODEL).await.unwrap(), Some(entry("news")));
        }
    }

    async fn one_that_waits_is_asked_first_and_goes_when_it_counts(db) {
        let store = &db.store;
        store.write(keep(Slot::Current, 1, vec![(MODEL, entry("one"))])).await.unwrap();
        store.write(keep(Slot::Held, 2, vec![(MODEL, entry("two"))])).await.unwrap();
        assert_eq!(store.find_model(&MODEL).await.unwrap().unwrap().description, "two");
        let kept = store.list_mds_blobs().await.unwrap();
        assert_eq!((kept[0].slot, kept[0].number, kept[0].held_because.as_deref()), (Slot::Current, 1, None));
        assert_eq!((kept[1].slot, kept[1].number, kept[1].held_because.as_deref()), (Slot::Held, 2, Some("too much")));
        assert_eq!((kept[1].next_update, kept[1].stored), (NOW.plus_s(86_400), NOW));
        // A later one that need not wait ends the wait.
        store.write(keep(Slot::Current, 3, vec![(MODEL, entry("three"))])).await.unwrap();
        assert_eq!(store.list_mds_blobs().await.unwrap().len(), 1);
        assert_eq!(store.find_model(&MODEL).await.unwrap().unwrap().description, "three");
        assert_eq!(store.find_mds_blob(Slot::Held).await.unwrap(), None);
    }

    async fn what_is_known_of_a_model_reaches_all_its_passkeys_and_no_others(db) {
        let store = &db.store;
        let account = make_account(store, "alice").await;
        let alike = [attested(passkey(account.id)), attested(passkey(account.id))];
        let other_root = Passkey { attestation_root: Some([8; 32]), ..attested(passkey(account.id)) };
        let keyed = Passkey { attestation_key_id: Some([5; 20]), ..attested(passkey(account.id)) };
        for made in alike.iter().chain([&other_root, &keyed, &passkey(account.id)]) {
            store.write(register(made)).await.unwrap();
        }
        let models = store.list_registered_models(REALM).await.unwrap();
        assert_eq!(models.len(), 4);
        let of = |root, key_id| models.iter().find(|m| m.root == root && m.key_id == key_id).unwrap();
        let shared = of(Some([9; 32]), None);
        let model = entry("x").model(None);
        let op = UpdateModel { realm: REALM, alike: shared.clone(), model: model.clone() };
        assert_eq!(store.write(op).await.unwrap(), 2);
        for made in &alike {
            let kept = find_passkey(store, &made.credential_id).await.unwrap();
            assert_eq!(kept, Passkey { model: model.clone(), ..made.clone() });
        }
        for made in [&other_root, &keyed] {
            let kept = find_passkey(store, &made.credential_id).await;
            assert_eq!(kept.as_ref(), Some(made));
        }
        assert_eq!(store.list_passkeys_of(REALM, shared).await.unwrap().len(), 2);
        assert_eq!(store.list_passkeys_of(REALM, of(None, None)).await.unwrap().len(), 1);
        assert_eq!(store.list_passkeys_of(REALM, of(Some([9; 32]), Some([5; 20]))).await.unwrap(), [keyed]);
        assert_eq!(store.count_active_passkeys(REALM).await.unwrap(), 5);

        let suspend = SuspendPasskey {
            realm: REALM,
            account: account.id,
            credential_id: alike[0].credential_id.clone(),
            reason: "mds:REVOKED".to_owned(),
            tell: Vec::new(),
            audit: audit(AuditEvent::PasskeySuspended),
        };
        store.write(suspend).await.unwrap();
        let kept = find_passkey(store, &alike[0].credential_id).await.unwrap();
        assert_eq!((kept.state, kept.suspended_reason.as_deref()), (PasskeyState::Suspended, Some("mds:REVOKED")));
        assert_eq!(store.list_passkeys_of(REALM, shared).await.unwrap().len(), 1);
        assert_eq!(store.count_active_passkeys(REALM).await.unwrap(), 4);
        assert_eq!(Model::default(), serde_json::from_str("{}").unwrap());
    }
}
