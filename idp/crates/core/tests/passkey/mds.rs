//! Metadata BLOBs: whose are believed, and what is read out of them.

use idp_core::passkey::mds::blob::{BlobError, Signer, read};
use idp_core::passkey::mds::{Certification, ModelKey, Status};
use idp_core::time::Timestamp;
use idp_softkey::Maker;
use serde_json::json;

use crate::support::NOW;

fn own(maker: &Maker) -> Signer {
    Signer::own(vec![maker.root().to_vec()])
}

#[test]
fn reads_what_is_judged_of_each_model() {
    let maker = Maker::new("MDS");
    let mut u2f = maker.entry([0; 16], &["REVOKED"]);
    u2f.as_object_mut().unwrap().remove("aaguid");
    u2f["attestationCertificateKeyIdentifiers"] = json!(["0102030405060708090a0b0c0d0e0f1011121314"]);
    u2f["metadataStatement"]["keyProtection"] = json!(["hardware", "software"]);
    let certified =
        ["FIDO_CERTIFIED", "UPDATE_AVAILABLE", "FIDO_CERTIFIED_L2", "FIDO_CERTIFIED_L1", "BRAND_NEW_STATUS"];
    let blob = maker.blob(7, "2030-01-31", &[maker.entry([9; 16], &certified), u2f]);
    let blob = read(blob.as_bytes(), &own(&maker), NOW).unwrap();
    assert_eq!((blob.number, blob.next_update.secs(), blob.skipped), (7, 1_896_048_000, 0));
    let (key, entry) = &blob.entries[0];
    assert_eq!(*key, ModelKey::Aaguid([9; 16]));
    assert_eq!((entry.certification, entry.hardware), (Certification::L2, true));
    assert_eq!(entry.statuses, [Status::UpdateAvailable].into());
    assert_eq!((entry.description.as_str(), &entry.roots), ("Soft Key", &vec![maker.root().to_vec()]));
    let (key, entry) = &blob.entries[1];
    assert_eq!(key.text(), "0102030405060708090a0b0c0d0e0f1011121314");
    assert_eq!((entry.statuses.contains(&Status::Revoked), entry.hardware), (true, false));
}

#[test]
fn what_speaks_for_a_model_counts_from_its_day_and_what_is_wrong_with_it_at_once() {
    let maker = Maker::new("MDS");
    let entry = |day: Option<&str>| {
        let mut entry = maker.entry([9; 16], &["FIDO_CERTIFIED_L1", "FIDO_CERTIFIED_L3", "REVOKED"]);
        for report in &mut entry["statusReports"].as_array_mut().unwrap()[1..] {
            match day {
                Some(day) => report["effectiveDate"] = json!(day),
                None => drop(report.as_object_mut().unwrap().remove("effectiveDate")),
            }
        }
        let blob = maker.blob(1, "2030-01-31", &[entry]);
        let entry = read(blob.as_bytes(), &own(&maker), NOW).unwrap().entries.remove(0).1;
        assert_eq!(entry.statuses, [Status::Revoked].into());
        entry.certification
    };
    assert_eq!(entry(Some("2099-01-01")), Certification::L1);
    assert_eq!(entry(Some("soon")), Certification::L1);
    assert_eq!(entry(Some("2020-01-01")), Certification::L3);
    assert_eq!(entry(None), Certification::L3);
}

#[test]
fn an_entry_that_cannot_be_read_costs_only_itself() {
    let maker = Maker::new("MDS");
    let good = maker.entry([9; 16], &[]);
    let mut bad = [good.clone(), good.clone(), good.clone()];
    bad[0]["aaguid"] = json!("not one");
    bad[1]["statusReports"] = json!("none");
    bad[2]["metadataStatement"]["attestationRootCertificates"] = json!(["%"]);
    let uaf = json!({ "aaid": "4e4e#4005", "statusReports": [] });
    let blob = maker.blob(1, "2030-01-31", &[&bad[..], &[uaf, good]].concat());
    let blob = read(blob.as_bytes(), &own(&maker), NOW).unwrap();
    assert_eq!((blob.entries.len(), blob.skipped), (1, 3));
}

#[test]
fn believes_nobody_but_its_signer() {
    let (maker, other) = (Maker::new("MDS"), Maker::new("MDS"));
    let blob = maker.blob(1, "2030-01-31", &[maker.entry([9; 16], &[])]);
    let reading = |text: &str, signer: &Signer| read(text.as_bytes(), signer, NOW).map(|blob| blob.number);
    assert_eq!(reading(&blob, &own(&maker)), Ok(1));
    assert_eq!(reading(&format!("{blob}\n"), &own(&maker)), Ok(1));
    assert_eq!(reading(&blob, &own(&other)), Err(BlobError::Chain));
    assert_eq!(reading(&blob, &Signer::fido()), Err(BlobError::Chain));
    assert_eq!(read(blob.as_bytes(), &own(&maker), Timestamp::from_ms(0)).unwrap_err(), BlobError::Chain);

    let parts: Vec<&str> = blob.split('.').collect();
    let next = maker.blob(2, "2030-01-31", &[]);
    let next: Vec<&str> = next.split('.').collect();
    for (text, error) in [
        (String::new(), BlobError::Form),
        ("a.b".to_owned(), BlobError::Form),
        ("a.b.c".to_owned(), BlobError::Form),
        // The signature of one, the content of another.
        (format!("{}.{}.{}", parts[0], next[1], parts[2]), BlobError::Signature),
        (format!("{}.{}.{}", parts[0], parts[1], next[2]), BlobError::Signature),
        (format!("{}.{}.", parts[0], parts[1]), BlobError::Signature),
        (maker.blob(1, "soon", &[]), BlobError::Payload),
    ] {
        assert_eq!(reading(&text, &own(&maker)), Err(error), "{text}");
    }
}

#[test]
fn fidos_own_root_is_built_in() {
    assert!(!format!("{:?}", Signer::fido()).contains("roots: []"));
}
