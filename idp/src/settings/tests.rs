//! Settings as people write them: what is accepted, and what the refusals say.

use super::table::{Fallback, TABLE, env_name};
use super::*;
use crate::mail::{Route, SmtpTls};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn load(text: &str, env: &[(&str, &str)]) -> Result<Settings, Problems> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("idp.toml");
    std::fs::write(&file, text).unwrap();
    std::fs::write(folder.path().join("key"), format!("{KEY}\n")).unwrap();
    Settings::load(&file, env.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())))
}

fn minimal() -> String {
    format!(
        "[realm]\nissuer = \"https://id.example.org\"\n[database]\nurl = \"sqlite:///var/lib/idp/idp.db\"\n\
         [secrets]\nencryption_key = \"{KEY}\"\n"
    )
}

/// The problems of a text, with the folder's name cut off.
fn problems(text: &str, env: &[(&str, &str)]) -> String {
    let problems = load(text, env).expect_err("is accepted").to_string();
    problems
        .lines()
        .map(|line| {
            let Some((before, after)) = line.split_once('(') else { return format!("{line}\n") };
            after
                .rsplit_once("/idp.toml")
                .map_or_else(|| format!("{line}\n"), |(_, rest)| format!("{before}(idp.toml{rest}\n"))
        })
        .collect()
}

#[test]
fn the_smallest_file_is_enough() {
    let settings = load(&minimal(), &[]).unwrap();
    assert_eq!(settings.server.listen.to_string(), "0.0.0.0:8080");
    assert_eq!(settings.realm.display_name, "id.example.org");
    assert_eq!(settings.realm.relying_parties, None);
    assert_eq!(settings.warnings.len(), 1, "nobody terminates TLS: {:?}", settings.warnings);
}

#[test]
fn the_environment_wins_over_the_file() {
    let settings = load(
        &minimal(),
        &[
            ("IDP_SERVER__LISTEN", "127.0.0.1:1234"),
            ("IDP_REALM__ISSUER", "http://localhost:8080"),
            ("IDP_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
            ("IDP_CONFIG", "no setting: one underscore"),
            ("IDP_SERVICE_HOST", "as Kubernetes sets it"),
        ],
    )
    .unwrap();
    assert_eq!(settings.server.listen.port(), 1234);
    assert_eq!(settings.server.trusted_proxies.len(), 2);
    assert_eq!(settings.realm.relying_parties, None);
}

#[test]
fn secrets_come_from_files_beside_the_settings() {
    let text = minimal().replace(&format!("encryption_key = \"{KEY}\""), "encryption_key_file = \"key\"");
    let settings = load(&text, &[]).unwrap();
    assert_eq!(settings.secrets.encryption_key.expose()[31], 0x1f);
    assert!(problems(&text.replace("\"key\"", "\"nokey\""), &[]).contains("cannot be read"));
}

#[test]
fn relative_paths_in_the_file_start_at_its_folder() {
    let text = format!("{}[theme]\ndir = \"theme\"\n", minimal());
    let dir = load(&text, &[]).unwrap().theme.dir.unwrap();
    assert!(dir.is_absolute() && dir.ends_with("theme"), "{}", dir.display());
    assert_eq!(load(&minimal(), &[("IDP_THEME__DIR", "theme")]).unwrap().theme.dir.unwrap(), Path::new("theme"));
}

#[test]
fn secrets_are_never_shown() {
    let settings =
        load(&minimal().replace("sqlite:///var/lib/idp/idp.db", "postgres://u:hunter2@db/idp"), &[]).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
    let text = minimal().replace("sqlite:///var/lib/idp/idp.db", "mysql://u:hunter2@db/idp").replace("0001", "xyz");
    let problems = problems(&text, &[]);
    assert!(problems.contains("database.url (idp.toml:4)") && problems.contains("secrets.encryption_key (idp.toml:6)"));
    assert!(!problems.contains("hunter2") && !problems.contains("xyz"), "{problems}");
}

#[test]
fn names_all_problems_at_once_with_place_and_remedy() {
    let text = "[server]\nlisten = 8080\ntls_cert = \"/etc/cert.pem\"\nlistne = \"x\"\n[realm]\nissuer = \"http://id.example.org/\"\n\
                [telemetry]\nlog_format = \"xml\"\n[tls]\n";
    let expected = r#"8 problems in the settings:
  server.listne (idp.toml:4): there is no such setting
    did you mean `server.listen`?
  tls (idp.toml:9): there is no such setting
    `idp config docs` lists all settings
  server.listen (idp.toml:2): "8080" is not an address and a port
    write an address and a port, for example "0.0.0.0:8080"
  server.tls_key (not set): `server.tls_cert` is set, this is not
    set `server.tls_key` too, or neither for plain HTTP behind a reverse proxy
  realm.issuer (idp.toml:6): "http://id.example.org/" is not https; only localhost may do without
    write "https://id.example.org"; passkeys do not work on plain http
  database.url (not set): is required
    write `url = …` with `sqlite:///PATH` or `postgres://USER:PASSWORD@HOST/NAME`, for example "sqlite:///var/lib/idp/idp.db" (or set IDP_DATABASE__URL, or IDP_DATABASE__URL_FILE)
  secrets.encryption_key (not set): is required
    write `encryption_key = …` with 32 random bytes as base64url or 64 hexadecimal digits, for example the output of `openssl rand -hex 32` (or set IDP_SECRETS__ENCRYPTION_KEY, or IDP_SECRETS__ENCRYPTION_KEY_FILE)
  telemetry.log_format (idp.toml:8): "xml" is not one of `json`, `text`
    write one of `json`, `text`, for example "json"
"#;
    assert_eq!(problems(text, &[]), expected);
}

#[test]
fn refuses_what_only_looks_like_the_issuer() {
    let refuse = |issuer: &str, with: &str| {
        let problems = problems(&minimal().replace("https://id.example.org", issuer), &[]);
        assert!(problems.contains(with), "{issuer}: {problems}");
    };
    refuse("https://id.example.org/", r#"write "https://id.example.org""#);
    refuse("https://ID.example.org", r#"write "https://id.example.org""#);
    refuse("https://id.example.org:443", r#"write "https://id.example.org""#);
    refuse("https://id.example.org/realm", r#"write "https://id.example.org""#);
    refuse("https://id.example.org?x", r#"write "https://id.example.org""#);
    refuse("https://id.example.org#x", r#"write "https://id.example.org""#);
    refuse("https://user@id.example.org", r#"write "https://id.example.org""#);
    refuse("https://10.0.0.1", "IP address");
    refuse("http://127.0.0.1:8080", "not https");
    refuse("http://localhost.example.org", "not https");
    refuse("ftp://id.example.org", "not an https origin");
    refuse("id.example.org", "not an https origin");
    refuse("https://com", "needs a dot");
}

#[test]
fn checks_relying_parties() {
    let with = |tables: &str| {
        format!("{}\n", minimal().replace("[realm]\n", &format!("[realm]\nrelying_parties = {tables}\n")))
    };
    let settings = load(&with(r#"[{ rp_id = "example.org", hosts = ["id.example.org"] }]"#), &[]).unwrap();
    assert_eq!(settings.realm.relying_parties.unwrap()[0].origins, ["https://id.example.org"]);
    assert!(settings.warnings.iter().any(|warning| warning.what.contains("parent domain")));
    for (tables, said) in [
        (r#"[{ rp_id = "org", hosts = ["id.example.org"] }]"#, "needs a dot"),
        (r#"[{ rp_id = "10.0.0.1", hosts = ["id.example.org"] }]"#, "is an IP address"),
        (r#"[{ rp_id = "ample.org", hosts = ["id.example.org"] }]"#, "neither the host"),
        (r#"[{ rp_id = "example.org", hosts = ["login.example.org"] }]"#, "no relying party answers the issuer's host"),
        (r#"[{ hosts = ["id.example.org:443"] }]"#, "default one"),
        (r#"[{ hosts = ["id.example.org"], origins = ["https://id.example.org/"] }]"#, "as browsers send it"),
        (r#"[{ hosts = ["id.example.org"], host = "x" }]"#, "has no `host`"),
        (r#"[{ rp_id = "id.example.org" }]"#, "needs `hosts`"),
        (r#""id.example.org""#, "not an array of tables"),
    ] {
        let problems = problems(&with(tables), &[]);
        assert!(
            problems.contains("realm.relying_parties (idp.toml:2)") && problems.contains(said),
            "{tables}: {problems}"
        );
    }
}

#[test]
fn relying_parties_fit_into_the_environment_too() {
    let tables = r#"[{ hosts = ["id.example.org"] }, { hosts = ["login.example.net"] }]"#;
    let settings = load(&minimal(), &[("IDP_REALM__RELYING_PARTIES", tables)]).unwrap();
    assert_eq!(settings.realm.relying_parties.unwrap()[1].rp_id, "login.example.net");
    // Without an RP ID each host is its own; what is said of origins comes on top.
    let tables = r#"[{ rp_id = "", hosts = ["id.example.org", "a.test"], related_origins = ["https://b.test"] },
        { rp_id = "c.test", hosts = ["c.test"], origins = ["https://c.test:8443"] }]"#;
    let settings = load(&minimal(), &[("IDP_REALM__RELYING_PARTIES", tables)]).unwrap();
    let parties = settings.realm.relying_parties.unwrap();
    assert_eq!(parties.iter().map(|p| p.rp_id.as_str()).collect::<Vec<_>>(), ["id.example.org", "a.test", "c.test"]);
    assert_eq!(parties[1].related_origins, ["https://b.test"]);
    assert_eq!(parties[2].origins, ["https://c.test", "https://c.test:8443"]);
}

#[test]
fn names_unknown_and_doubled_variables() {
    let unknown = problems(&minimal(), &[("IDP_SERVER__LISTN", "x")]);
    assert!(
        unknown.contains("environment IDP_SERVER__LISTN") && unknown.contains("did you mean IDP_SERVER__LISTEN?"),
        "{unknown}"
    );
    let doubled = problems(&minimal(), &[("IDP_DATABASE__URL", "x"), ("IDP_DATABASE__URL_FILE", "/x")]);
    assert!(doubled.contains("IDP_DATABASE__URL sets it too"), "{doubled}");
    assert!(problems(&minimal(), &[("IDP_SERVER__LISTEN_FILE", "/x")]).contains("no such setting"), "not a secret");
}

#[test]
fn refuses_keys_of_wrong_length_and_placeholders() {
    for key in ["", "short", &KEY[2..], &"00".repeat(32), &"AA".repeat(32)] {
        assert!(problems(&minimal().replace(KEY, key), &[]).contains("secrets.encryption_key"), "{key}");
    }
    load(&minimal().replace(KEY, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"), &[]).unwrap();
    let text = format!("{}previous_encryption_key = \"{KEY}\"\n", minimal());
    assert!(problems(&text, &[]).contains("is the same as"));
}

#[test]
fn a_syntax_error_is_named_with_its_line() {
    let problems = problems("[realm]\nissuer = https://id.example.org\n", &[]);
    assert!(problems.contains("settings (idp.toml:2): not TOML"), "{problems}");
}

#[test]
fn a_missing_file_is_named() {
    let problems = Settings::load(Path::new("/nonexistent/idp.toml"), std::iter::empty()).unwrap_err().to_string();
    assert!(problems.contains("/nonexistent/idp.toml cannot be read"), "{problems}");
}

#[test]
fn the_documentation_names_every_setting() {
    let docs = config_docs();
    for row in TABLE {
        assert!(docs.contains(&env_name(row.path)), "{}", row.path);
    }
}

#[test]
fn every_default_is_accepted_when_written_out() {
    let env: Vec<_> = TABLE
        .iter()
        .filter_map(|row| match row.default {
            Fallback::Value(value) => Some((env_name(row.path), value)),
            _ => None,
        })
        .collect();
    let env: Vec<_> = env.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    load(&minimal(), &env).unwrap();
}

#[test]
fn calls_to_others_are_narrowed_to_networks_and_a_readable_authority() {
    let outbound = |more: &str| format!("{}[outbound]\n{more}\n", minimal());
    let settings = load(&outbound("allow = [\"10.0.0.0/8\", \"::1\"]"), &[]).unwrap();
    assert_eq!(settings.outbound.allow.len(), 2);
    assert!(load(&minimal(), &[]).unwrap().outbound.allow.is_empty(), "nothing is allowed by default");
    assert!(problems(&outbound("allow = [\"everywhere\"]"), &[]).contains("outbound.allow"));
    // The key is a file, but not one of certificates.
    assert!(problems(&outbound("ca_file = \"key\""), &[]).contains("is not a bundle of certificates in PEM"));
    assert!(problems(&outbound("ca_file = \"nothing\""), &[]).contains("cannot be read"));
}

#[test]
fn mails_need_a_way_and_a_sender_or_nothing_at_all() {
    assert!(load(&minimal(), &[]).unwrap().mail.is_none());
    let mail = |lines: &str| format!("{}[mail]\n{lines}\n", minimal());
    let smtp = "smtp_host = \"smtp.example.org\"\nfrom = \"Identity <id@example.org>\"\n";
    let login = "username = \"id\"\npassword_file = \"key\"\n";
    let settings = load(&mail(&format!("{smtp}{login}smtp_port = 2525")), &[]).unwrap();
    let Route::Smtp(found) = settings.mail.unwrap().route else { panic!("a folder") };
    assert_eq!((found.host.as_str(), found.port, found.tls), ("smtp.example.org", Some(2525), SmtpTls::StartTls));
    assert_eq!(found.login.map(|(user, password)| (user, password.expose().clone())), Some(("id".into(), KEY.into())));
    let settings = load(&mail("folder = \"mails\"\nfrom = \"id@example.org\""), &[]).unwrap();
    assert!(matches!(settings.mail.unwrap().route, Route::Folder(folder) if folder.ends_with("mails")));
    let clear = load(&mail(&format!("{smtp}{login}smtp_tls = \"none\"")), &[]).unwrap();
    assert!(clear.warnings.iter().any(|w| w.path == "mail.smtp_tls"), "{:?}", clear.warnings);
    for (lines, path) in [
        ("smtp_host = \"smtp.example.org\"", "mail.from ("),
        ("from = \"id@example.org\"", "mail.from ("),
        ("from = \"nobody\"\nsmtp_host = \"smtp.example.org\"", "mail.from ("),
        (&format!("{smtp}folder = \"mails\""), "mail.folder ("),
        (&format!("{smtp}username = \"id\""), "mail.password ("),
        (&format!("{smtp}smtp_tls = \"perhaps\""), "mail.smtp_tls ("),
        (&format!("{smtp}smtp_port = 0"), "mail.smtp_port ("),
        (&format!("{smtp}ca_file = \"absent.pem\""), "mail.ca_file ("),
        ("smtp_host = \"smtp://example.org\"\nfrom = \"id@example.org\"", "mail.smtp_host ("),
    ] {
        let said = problems(&mail(lines), &[]);
        assert!(said.contains(path), "{lines}: {said}");
    }
}
