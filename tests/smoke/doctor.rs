//! `idp doctor`: each fault of an installation is found, named by its check, and told what to do about. TLS is real.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;

use idp_softkey::{Maker, Options};
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, IsCa, Issuer, KeyPair, date_time_ymd};
use serde_json::Value;

use crate::person::{enrol_with, enrolled};
use crate::product::{Place, Product, Said, command, free_port, postgres, run};

/// Runs the doctor; its exit status and its checks by id.
fn doctor(arguments: &[&str]) -> (i32, Value) {
    let said = run(&[&["doctor", "--json"], arguments].concat(), "");
    (said.code, checks(&said))
}

fn checks(said: &Said) -> Value {
    let document: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{} {}", said.out, said.err));
    document["checks"].as_array().unwrap().iter().map(|c| (c["id"].as_str().unwrap().to_owned(), c.clone())).collect()
}

fn on(place: &Place, more: &[&str]) -> (i32, Value) {
    let at = place.at.iter().map(String::as_str);
    doctor(&at.chain(more.iter().copied()).collect::<Vec<_>>())
}

/// A check ended so, in these words; where something is to be done, it is said.
#[track_caller]
fn is(checks: &Value, id: &str, state: &str, words: &str) {
    let check = &checks[id];
    assert_eq!(check["state"], state, "{id}: {check}");
    let found = check["found"].as_str().unwrap();
    assert!(found.contains(words), "{id}: {words} is missing in: {found}");
    let advised = !check["advice"].as_str().unwrap().is_empty();
    assert_eq!(advised, matches!(state, "warn" | "fail"), "{id}: {check}");
}

/// States other than ok and skip.
fn troubles(checks: &Value) -> Vec<&str> {
    let members = checks.as_object().unwrap().iter();
    members.filter(|(_, c)| !matches!(c["state"].as_str(), Some("ok" | "skip"))).map(|(id, _)| id.as_str()).collect()
}

/// What is special about a certificate.
#[derive(Clone, Copy)]
enum Kind {
    Good,
    Expired,
    OtherName,
    SelfSigned,
    NotYet,
}

/// Settings of `serve` on https://localhost with a certificate of this kind in the folder, and the authority.
fn tls(kind: Kind) -> (Place, u16) {
    let place = Place::serve(None);
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    fs::write(place.file("ca.pem"), ca.self_signed(&ca_key).unwrap().pem()).unwrap();
    let name = if matches!(kind, Kind::OtherName) { "id.example.test" } else { "localhost" };
    let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    leaf.distinguished_name = DistinguishedName::new();
    (leaf.not_before, leaf.not_after) = match kind {
        Kind::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1)),
        Kind::NotYet => (date_time_ymd(2090, 1, 1), date_time_ymd(2091, 1, 1)),
        _ => (date_time_ymd(2020, 1, 1), date_time_ymd(2080, 1, 1)),
    };
    let key = KeyPair::generate().unwrap();
    let signed = match kind {
        Kind::SelfSigned => leaf.self_signed(&key).unwrap(),
        _ => leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap(),
    };
    fs::write(place.file("cert.pem"), signed.pem()).unwrap();
    fs::write(place.file("key.pem"), key.serialize_pem()).unwrap();
    let port = free_port();
    edit(&place, "https://id.example.test", &format!("https://localhost:{port}"));
    fs::create_dir(place.file("mails")).unwrap();
    edit(&place, "[realm]", "[mail]\nfolder = \"mails\"\nfrom = \"idp@example.test\"\n[realm]");
    edit(&place, "[server]", "[server]\ntls_cert = \"cert.pem\"\ntls_key = \"key.pem\"");
    (place, port)
}

fn edit(place: &Place, old: &str, new: &str) {
    let file = Path::new(&place.at[1]);
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(old), "{old} is not in: {text}");
    fs::write(file, text.replace(old, new)).unwrap();
}

fn ca(place: &Place) -> String {
    place.file("ca.pem").display().to_string()
}

#[test]
fn a_good_installation_passes_with_an_authority_of_its_own() {
    let (place, port) = tls(Kind::Good);
    let _product = Product::serve_with(&place, port, None, &[]);
    place.json(&["user", "create", "ada", "--owner"]);
    let (code, checks) = on(&place, &["--ca", &ca(&place)]);
    assert_eq!((code, troubles(&checks)), (0, vec![]), "{checks}");
    is(&checks, "tls.trusted", "ok", "trusted");
    is(&checks, "tls.name", "ok", "localhost");
    is(&checks, "tls.dates", "ok", "2080-01-01");
    is(&checks, "web.issuer", "ok", &format!("https://localhost:{port}"));
    is(&checks, "issuer.https", "ok", "https");
    is(&checks, "mail.transport", "ok", "open");

    // Without it, nobody trusts the certificate, and all else is still good.
    let (code, checks) = on(&place, &[]);
    assert_eq!((code, troubles(&checks)), (1, vec!["tls.trusted"]), "{checks}");
    is(&checks, "tls.trusted", "fail", "nobody trusted signed it");
    edit(&place, "[database]", "[outbound]\nca_file = \"ca.pem\"\n[database]");
    assert_eq!(on(&place, &[]).0, 0, "named in the settings");

    // From elsewhere, without settings and database.
    let url = format!("https://localhost:{port}");
    let (code, checks) = doctor(&["--url", &url, "--ca", &ca(&place)]);
    assert_eq!((code, troubles(&checks)), (0, vec![]), "{checks}");
    for id in ["settings.readable", "database.reachable", "realm.keys", "rp_id.host"] {
        assert_eq!(checks[id]["state"], "skip", "{id}");
    }
    is(&checks, "policy.shown", "ok", "button");

    // For people: a line for each check, nothing on standard error.
    let said = place.idp(&["doctor"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(said.out.lines().any(|line| line.starts_with("ok") && line.contains("tls.dates")), "{}", said.out);
}

#[test]
fn each_fault_of_a_certificate_is_told_apart() {
    for (kind, id, words) in [
        (Kind::Expired, "tls.dates", "it ended 2021-01-01"),
        (Kind::NotYet, "tls.dates", "it begins 2090-01-01"),
        (Kind::OtherName, "tls.name", "made for id.example.test, not for localhost"),
        (Kind::SelfSigned, "tls.trusted", "nobody trusted signed it"),
    ] {
        let (place, port) = tls(kind);
        let _product = Product::serve_with(&place, port, None, &[]);
        place.json(&["user", "create", "ada", "--owner"]);
        let (code, checks) = on(&place, &["--ca", &ca(&place)]);
        assert_eq!((code, troubles(&checks)), (1, vec![id]), "{checks}");
        is(&checks, id, "fail", words);
    }
}

#[test]
fn a_certificate_that_ends_soon_and_a_clock_that_is_wrong_are_seen() {
    let (place, port) = tls(Kind::Good);
    let _product = Product::serve_with(&place, port, None, &[]);
    let mut doctor = command(Some("@2079-12-22 00:00:00"));
    doctor.args(["doctor", "--json", &place.at[0], &place.at[1], "--ca", &ca(&place)]);
    let output = doctor.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let checks = checks(&Said { code: 1, out: text(output.stdout), err: text(output.stderr) });
    is(&checks, "tls.dates", "warn", "it ends 2080-01-01");
    is(&checks, "tls.trusted", "ok", "");
    is(&checks, "web.clock", "fail", "differs");
    is(&checks, "realm.owner", "warn", "no owner");
}

#[test]
fn settings_and_database_are_looked_at_first_and_left_as_they_are() {
    let said = run(&["doctor"], "");
    assert!(said.code == 2 && said.err.contains("--config FILE") && said.err.contains("--url URL"), "{}", said.err);
    assert_eq!(run(&["doctor", "--url", "ftp://localhost"], "").code, 2);

    let place = Place::serve(None);
    let (code, checks) = on(&place, &["--url", "http://localhost:1"]);
    assert_eq!(code, 1);
    is(&checks, "settings.readable", "ok", "nothing");
    is(&checks, "database.reachable", "fail", "does not exist");
    assert!(!place.file("idp.db").exists(), "the doctor makes nothing");
    is(&checks, "web.reachable", "fail", "http://localhost:1");
    is(&checks, "mail.transport", "warn", "no mails are sent");
    for id in ["database.migrated", "realm.present", "tls.trusted", "web.issuer", "web.clock", "login.permissions"] {
        assert_eq!(checks[id]["state"], "skip", "{id}");
    }

    fs::write(place.file("idp.db"), "").unwrap();
    let (_, checks) = on(&place, &["--url", "http://localhost:1"]);
    is(&checks, "database.reachable", "ok", "answers");
    is(&checks, "database.migrated", "fail", "idp migrate");
    assert_eq!(place.idp(&["migrate"]).code, 0);
    let (_, checks) = on(&place, &["--url", "http://localhost:1"]);
    is(&checks, "database.migrated", "ok", "up to date");
    is(&checks, "realm.present", "fail", "no such realm");

    edit(&place, "trusted_proxies = [\"127.0.0.1\"]\n", "");
    is(&on(&place, &["--url", "http://localhost:1"]).1, "settings.readable", "warn", "no TLS is set");
    edit(&place, "issuer = \"https", "issuer = \"http");
    let (code, checks) = on(&place, &[]);
    assert_eq!(code, 1);
    is(&checks, "settings.readable", "fail", "is not https");
    assert_eq!(checks["database.reachable"]["state"], "skip");
}

#[test]
fn a_mail_server_that_does_not_answer_and_a_folder_that_is_not_there_are_found() {
    let place = Place::serve(None);
    for way in ["smtp_host = \"localhost\"\nsmtp_port = 1", "folder = \"nowhere\""] {
        edit(&place, "[realm]", &format!("[mail]\n{way}\nfrom = \"idp@example.test\"\n[realm]"));
        let (code, checks) = on(&place, &["--url", "http://localhost:1"]);
        assert_eq!(code, 1);
        is(&checks, "mail.transport", "fail", "");
        edit(&place, &format!("[mail]\n{way}\nfrom = \"idp@example.test\"\n"), "");
    }
}

#[test]
fn plain_http_and_addresses_have_no_passkeys() {
    let (_, checks) = doctor(&["--url", "http://id.example.test:1"]);
    is(&checks, "issuer.https", "fail", "plain http");
    is(&checks, "issuer.name", "ok", "id.example.test");
    let (_, checks) = doctor(&["--url", "https://127.0.0.1:1"]);
    is(&checks, "issuer.https", "ok", "https");
    is(&checks, "issuer.name", "fail", "127.0.0.1 is an address");
    let (_, checks) = doctor(&["--url", "http://localhost:1"]);
    is(&checks, "issuer.https", "ok", "localhost");
}

#[test]
fn a_realm_that_differs_keys_that_do_not_open_and_passkeys_left_behind_are_found() {
    let place = Place::serve(None);
    let product = Product::serve(&place);
    let mut browser = product.browser();
    enrolled(&place, &mut browser, "ada");
    drop(product);
    let nowhere = ["--url", "http://localhost:1"];
    let (_, checks) = on(&place, &nowhere);
    for id in ["realm.present", "realm.keys", "rp_id.host", "rp_id.passkeys", "web.hosts"] {
        assert_eq!(checks[id]["state"], "ok", "{id}: {}", checks[id]);
    }

    fs::write(place.file("other"), "9e".repeat(16) + &"07".repeat(16)).unwrap();
    edit(&place, "\"key\"", "\"other\"");
    is(&on(&place, &nowhere).1, "realm.keys", "fail", "cannot be unsealed");
    edit(&place, "\"other\"", "\"key\"");

    let parties = "relying_parties = [{ rp_id = \"example.test\", hosts = [\"login.example.test\", \"old.example.test\"], \
                   related_origins = [\"https://shop.example.org\"] }]";
    edit(
        &place,
        "issuer = \"https://id.example.test\"",
        &format!("issuer = \"https://login.example.test\"\n{parties}"),
    );
    let (code, checks) = on(&place, &nowhere);
    assert_eq!(code, 1);
    is(&checks, "realm.present", "fail", "https://id.example.test");
    place.json(&["realm", "update", "--drop-rp-ids"]);
    let (code, checks) = on(&place, &nowhere);
    assert_eq!(code, 1);
    is(&checks, "realm.present", "ok", "https://login.example.test");
    is(&checks, "rp_id.host", "warn", "example.test is a parent domain");
    is(&checks, "rp_id.passkeys", "warn", "1 for id.example.test");
    is(&checks, "rp_id.related", "fail", "does not list https://shop.example.org");
    is(&checks, "web.hosts", "fail", "old.example.test");
}

#[test]
fn the_field_that_hides_passkeys_is_named() {
    let place = Place::serve(None);
    place.json(&["realm", "show"]);
    let nowhere = ["--url", "http://localhost:1"];
    for (field, back, id) in [
        ("allow_login=false", "allow_login=true", "policy.shown"),
        ("mode=password_then_passkey", "mode=passkey_first", "policy.shown"),
        ("allow_registration=false", "allow_registration=true", "policy.registration"),
        ("enabled=false", "enabled=true", "policy.registration"),
    ] {
        place.json(&["policy", "set", field]);
        let (_, checks) = on(&place, &nowhere);
        is(&checks, id, "warn", &format!("`{}`", field.split_once('=').unwrap().0));
        is(&checks, "policy.satisfiable", "ok", "yes");
        place.json(&["policy", "set", back]);
        is(&on(&place, &nowhere).1, id, "ok", "");
    }
}

#[test]
fn the_policies_of_groups_are_looked_at_as_well() {
    let place = Place::serve(None);
    place.json(&["group", "create", "staff"]);
    place.json(&["policy", "set", "allow_registration=false", "--group", "staff", "--priority", "1"]);
    let (_, checks) = on(&place, &["--url", "http://localhost:1"]);
    is(&checks, "policy.registration", "warn", "`allow_registration` is false in the policy of the group staff");
}

/// Rewrites the policy in the database as only somebody with SQL can: what the commands refuse.
fn by_sql(database: &str, field: &str, value: Value) {
    use sqlx::{Connection as _, PgConnection, query, query_scalar};
    let act = async {
        let mut connection = PgConnection::connect(database).await.unwrap();
        let policy: String = query_scalar("SELECT policy FROM realms").fetch_one(&mut connection).await.unwrap();
        let mut policy: Value = serde_json::from_str(&policy).unwrap();
        policy[field] = value;
        query("UPDATE realms SET policy = $1").bind(policy.to_string()).execute(&mut connection).await.unwrap();
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(act);
}

#[test]
fn a_policy_that_nobody_can_satisfy_is_seen_however_it_came_there() {
    let database = postgres("unmet");
    let place = Place::serve(Some(&database));
    place.json(&["policy", "set", "mode=passkey_only"]);
    let seen = || on(&place, &["--url", "http://localhost:1"]).1;
    is(&seen(), "policy.satisfiable", "ok", "yes");
    by_sql(&database, "allow_login", Value::Bool(false));
    is(&seen(), "policy.satisfiable", "fail", "nobody could");
}

#[test]
fn who_is_locked_out_with_one_device_is_counted() {
    let place = Place::serve(None);
    let product = Product::serve(&place);
    let seen = || on(&place, &["--url", "http://localhost:1"]).1;
    enrolled(&place, &mut product.browser(), "synced");
    is(&seen(), "people.one_device", "ok", "nobody");
    for name in ["ann", "bob"] {
        place.json(&["user", "create", name]);
        let pass = place.json(&["access-pass", "create", name]);
        enrol_with(&mut product.browser(), pass["url"].as_str().unwrap(), name, Options::security_key());
    }
    is(&seen(), "people.one_device", "warn", "2 people");
    assert!(!seen()["people.one_device"].to_string().contains("ann"), "a count, no names");
    // A password is another way in; whoever cannot sign in anyway is not counted.
    let set = place.idp_with(&["user", "password", "ann", "--stdin"], "a long enough password\n");
    assert_eq!(set.code, 0, "{}", set.err);
    is(&seen(), "people.one_device", "warn", "1 person");
    place.json(&["user", "disable", "bob"]);
    is(&seen(), "people.one_device", "ok", "nobody");
}

#[test]
fn metadata_that_are_missing_or_overdue_are_seen() {
    let place = Place::serve(None);
    place.json(&["realm", "show"]);
    let maker = Maker::new("Maker");
    fs::write(place.file("root.pem"), maker.pem()).unwrap();
    let settings = fs::read_to_string(place.file("idp.toml")).unwrap();
    fs::write(place.file("idp.toml"), settings + "\n[mds]\nroot_file = \"root.pem\"\n").unwrap();
    let seen = || on(&place, &["--url", "http://localhost:1"]).1;
    is(&seen(), "mds.fresh", "skip", "no policy asks");
    place.json(&["policy", "set", "attestation_trust=mds", "attestation=direct"]);
    is(&seen(), "mds.fresh", "fail", "the policy rests on them");
    let import = |number, next| {
        fs::write(place.file("blob.jwt"), maker.blob(number, next, &[])).unwrap();
        place.json(&["mds", "import", &place.file("blob.jwt").display().to_string()]);
        seen()
    };
    is(&import(1, "2020-01-31"), "mds.fresh", "warn", "number 1 was to be followed");
    is(&import(2, "2099-01-31"), "mds.fresh", "ok", "number 2");
}

/// A server in front that does what reverse proxies do wrong.
fn misguided_proxy() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            let request = String::from_utf8(request).unwrap();
            let host = request.lines().find_map(|line| line.strip_prefix("x-forwarded-host: ")).unwrap_or("inner:8080");
            let body = format!("{{\"issuer\":\"http://{host}\"}}");
            let head = "HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 2015 00:00:00 GMT\r\nconnection: close\r\n\
                        permissions-policy: camera=(), publickey-credentials-get=( )\r\ncontent-length";
            write!(stream, "{head}: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    port
}

#[test]
fn what_a_reverse_proxy_does_wrong_is_seen_from_outside() {
    let url = format!("http://localhost:{}", misguided_proxy());
    let (code, checks) = doctor(&["--url", &url]);
    assert_eq!(code, 1);
    is(&checks, "web.reachable", "ok", &url);
    is(&checks, "web.issuer", "fail", "it says http://inner:8080");
    is(&checks, "web.forwarded", "fail", "X-Forwarded-Host");
    is(&checks, "web.clock", "fail", "differs");
    is(&checks, "login.permissions", "fail", "publickey-credentials-get");
    is(&checks, "policy.shown", "warn", "no button");
}

#[test]
fn dev_is_looked_at_by_its_data() {
    let place = Place::dev();
    let product = Product::dev(&place, (free_port(), free_port()));
    let (code, checks) = on(&place, &[]);
    assert_eq!(code, 0, "{checks}");
    is(&checks, "web.issuer", "ok", &product.issuer);
    is(&checks, "web.forwarded", "ok", "ignored");
    is(&checks, "realm.owner", "warn", "no owner");
    assert_eq!(checks["settings.readable"]["state"], "skip");
}

#[test]
fn every_check_is_in_the_how_to() {
    let (_, checks) = doctor(&["--url", "http://localhost:1"]);
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/howto/doctor.md")).unwrap();
    for id in checks.as_object().unwrap().keys() {
        assert!(text.contains(&format!("`{id}`")), "{id} is missing");
    }
}
