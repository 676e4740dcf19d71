//! `idp mds` and what `idp policy` says about models of authenticators.

use std::fs;

use idp_softkey::Maker;

use crate::product::Place;

const MODEL: [u8; 16] = *b"a known model :)";
const MODEL_TEXT: &str = "61206b6e-6f77-6e20-6d6f-64656c203a29";

#[test]
fn a_blob_is_imported_shown_and_refused_by_its_number() {
    let place = Place::serve(None);
    let maker = Maker::new("Maker");
    fs::write(place.file("root.pem"), maker.pem()).unwrap();
    let settings = place.file("idp.toml");
    let mut text = fs::read_to_string(&settings).unwrap();
    text.push_str("\n[mds]\nsource = \"blob.jwt\"\nroot_file = \"root.pem\"\n");
    fs::write(&settings, text).unwrap();
    let blob = |name: &str, number| {
        let file = place.file(name);
        fs::write(&file, maker.blob(number, "2099-01-31", &[maker.entry(MODEL, &[])])).unwrap();
        file.display().to_string()
    };

    assert!(place.idp(&["mds", "show"]).out.contains("nothing yet"));
    // The file that the settings name is beside them.
    blob("blob.jwt", 2);
    assert_eq!(place.json(&["mds", "refresh"])["outcome"], "accepted");
    let shown = place.json(&["mds", "show"]);
    assert_eq!((&shown["current"]["number"], &shown["held"]), (&2.into(), &serde_json::Value::Null));
    assert_eq!(place.json(&["mds", "import", &blob("same.jwt", 2)])["outcome"], "same");
    let older = place.idp(&["mds", "import", &blob("older.jwt", 1)]);
    assert!(older.code == 1 && older.err.contains("must not go back"), "{}", older.err);
    let none = place.idp(&["mds", "import", &place.file("root.pem").display().to_string()]);
    assert!(none.code == 1 && none.err.contains("not taken"), "{}", none.err);
    let nothing = place.idp(&["mds", "release"]);
    assert!(nothing.code == 1 && nothing.err.contains("no BLOB waits"), "{}", nothing.err);
}

#[test]
fn a_list_of_models_without_trust_is_saved_with_a_warning() {
    let place = Place::serve(None);
    let list = format!("aaguid_allow={MODEL_TEXT}");
    let said = place.idp(&["policy", "set", &list]);
    assert!(said.code == 0 && said.out.contains("can be forged"), "{} {}", said.out, said.err);
    assert!(place.idp(&["policy", "show"]).out.contains("can be forged"));
    let said = place.idp(&["policy", "set", "attestation_trust=mds"]);
    assert!(said.code == 2 && said.err.contains("attestation"), "{}", said.err);
    let said = place.idp(&["policy", "set", "attestation_trust=mds", "attestation=direct"]);
    assert!(said.code == 0 && !said.out.contains("forged"), "{} {}", said.out, said.err);
    // Nobody could register: said when it is saved and whenever it is shown.
    for said in [said, place.idp(&["policy", "show"])] {
        assert!(said.out.contains("there are no FIDO metadata here yet"), "{}", said.out);
    }
    let roots = format!("attestation_trust={}", Maker::new("Maker").pem());
    assert_eq!(place.idp(&["policy", "set", &roots]).code, 0);
    assert!(place.idp(&["policy", "show"]).out.contains("root sha256:"));
}
