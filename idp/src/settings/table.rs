//! The table of settings: everything that can be set, its form, default and meaning.
//!
//! It drives loading, the refusal of unknown keys, and `docs/config.md`.

/// What a value looks like; said in problems and in the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An address and a port to listen on.
    Listen,
    /// Networks in CIDR notation; in the environment separated by commas.
    Networks,
    /// A path of this machine.
    Path,
    /// A whole number within bounds.
    Number { min: u32, max: u32 },
    /// Any text that is not empty.
    Text,
    /// A short name for commands.
    Name,
    /// An issuer identifier (OIDC Discovery §3): an https origin, nothing after host and port.
    Issuer,
    /// An http or https URL.
    Url,
    /// Where the database is.
    Database,
    /// 32 random bytes as base64url or hexadecimal digits.
    Key,
    /// One of a few words.
    OneOf(&'static [&'static str]),
    /// Directives of tracing-subscriber's `EnvFilter`.
    Filter,
    /// An array of tables `{ rp_id, hosts, origins, related_origins }`.
    RelyingParties,
    /// A host name or an IP address, without scheme and port.
    Host,
    /// An address with or without a name (RFC 5322 §3.4).
    Mailbox,
}

impl Kind {
    /// The form in words, to follow "must be".
    pub fn form(self) -> String {
        match self {
            Self::Listen => "an address and a port".into(),
            Self::Networks => "a list of networks in CIDR notation".into(),
            Self::Path => "a path".into(),
            Self::Number { min, max } => format!("a whole number from {min} to {max}"),
            Self::Text => "a text that is not empty".into(),
            Self::Name => "a name of lower-case letters, digits and hyphens".into(),
            Self::Issuer => "an https origin without path, query, fragment or trailing slash".into(),
            Self::Url => "an http or https URL".into(),
            Self::Database => "`sqlite:///PATH` or `postgres://USER:PASSWORD@HOST/NAME`".into(),
            Self::Key => "32 random bytes as base64url or 64 hexadecimal digits".into(),
            Self::OneOf(words) => format!("one of `{}`", words.join("`, `")),
            Self::Filter => "a level or filter directives".into(),
            Self::Host => "a host name or an IP address".into(),
            Self::Mailbox => "a mail address, with or without a name".into(),
            Self::RelyingParties => "an array of tables `{ rp_id, hosts, origins, related_origins }`".into(),
        }
    }

    /// A value to write instead, as in TOML.
    pub fn example(self) -> String {
        let example = match self {
            Self::Listen => r#""0.0.0.0:8080""#,
            Self::Networks => r#"["10.0.0.0/8", "fd00::/8"]"#,
            Self::Path => r#""/etc/idp/file""#,
            Self::Number { .. } => "100",
            Self::Text => r#""some text""#,
            Self::Name => r#""default""#,
            Self::Issuer => r#""https://id.example.org""#,
            Self::Url => r#""http://collector:4318""#,
            Self::Database => r#""sqlite:///var/lib/idp/idp.db""#,
            Self::Key => r#"the output of `openssl rand -hex 32`"#,
            Self::OneOf(words) => return format!("{:?}", words.first().copied().unwrap_or_default()),
            Self::Filter => r#""info" or "info,idp=debug""#,
            Self::Host => r#""smtp.example.org""#,
            Self::Mailbox => r#""Identity <id@example.org>""#,
            Self::RelyingParties => r#"[{ rp_id = "example.org", hosts = ["id.example.org"] }]"#,
        };
        example.to_owned()
    }
}

/// What holds where nothing is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Must be set.
    Required,
    /// Not set; the sentence says what that means.
    Unset(&'static str),
    /// A value, as it would stand in the environment.
    Value(&'static str),
}

/// One setting.
#[derive(Debug)]
pub struct Row {
    /// Section and key.
    pub path: &'static str,
    pub kind: Kind,
    pub default: Fallback,
    /// Never printed; may be read from a file of its own.
    pub secret: bool,
    /// One or two sentences of documentation.
    pub doc: &'static str,
}

const fn row(path: &'static str, kind: Kind, default: Fallback, doc: &'static str) -> Row {
    Row { path, kind, default, secret: false, doc }
}

const fn secret(path: &'static str, kind: Kind, default: Fallback, doc: &'static str) -> Row {
    Row { path, kind, default, secret: true, doc }
}

use Fallback::{Required, Unset, Value};

/// All settings, in the order of the documentation.
pub const TABLE: &[Row] = &[
    row("server.listen", Kind::Listen, Value("0.0.0.0:8080"), "Where browsers and clients are answered."),
    row(
        "server.health_listen",
        Kind::Listen,
        Value("0.0.0.0:9090"),
        "Where `/health/live`, `/health/ready` and `/metrics` are answered, whatever the `Host`. Not for the public.",
    ),
    row(
        "server.trusted_proxies",
        Kind::Networks,
        Value(""),
        "Reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. Everybody else's are ignored.",
    ),
    row(
        "server.tls_cert",
        Kind::Path,
        Unset("plain HTTP, for a reverse proxy in front"),
        "Certificate chain in PEM. With `server.tls_key` TLS 1.2 and 1.3 are spoken on `server.listen`; read at start.",
    ),
    row("server.tls_key", Kind::Path, Unset("plain HTTP"), "Private key of the certificate in PEM."),
    row(
        "server.max_connections",
        Kind::Number { min: 1, max: 1_000_000 },
        Value("4096"),
        "Open connections in all; more wait until one is closed.",
    ),
    row(
        "server.max_connections_per_address",
        Kind::Number { min: 1, max: 1_000_000 },
        Value("128"),
        "Open connections of one address (IPv6: of one /64 network); more are closed at once. Trusted proxies are exempt.",
    ),
    row("realm.name", Kind::Name, Value("default"), "Name of the first realm in commands."),
    row(
        "realm.issuer",
        Kind::Issuer,
        Required,
        "The address people and clients use, byte for byte the `iss` of every token. `http` only for `localhost`.",
    ),
    row(
        "realm.display_name",
        Kind::Text,
        Unset("the issuer's host"),
        "What people read on pages and in their authenticator.",
    ),
    row(
        "realm.relying_parties",
        Kind::RelyingParties,
        Unset("the issuer's host alone"),
        "Hosts that are answered and the RP ID their passkeys are bound to (WebAuthn L3 §5.1.2). `rp_id` is a host or a \
         parent domain of all its hosts; without it, each host is its own. `origins` come on top of the hosts' own: \
         further ports, `android:apk-key-hash:…`. `related_origins` are those that are not under the RP ID and may use \
         it all the same (§5.11). Left out, what `idp realm rp` set counts. Passkeys stay bound to the RP ID they were \
         made with: to change it, see `idp rp-id plan`.",
    ),
    row(
        "outbound.allow",
        Kind::Networks,
        Value(""),
        "Networks that are called although they are not public: applications' `jwks_uri`, sector and back-channel logout \
         addresses. Only there may such an address be `http`. Everywhere else private, loopback and link-local \
         addresses are refused.",
    ),
    row(
        "outbound.ca_file",
        Kind::Path,
        Unset("the system's alone"),
        "Certificate authorities in PEM that are trusted for calls to applications, besides the system's; read at start.",
    ),
    row(
        "mds.source",
        Kind::Text,
        Unset("no metadata are fetched; `idp mds import` reads a file"),
        "Where FIDO's metadata about authenticators (MDS3 BLOB) come from, once a day: `https://mds3.fidoalliance.org/`, \
         or a file that something else keeps current.",
    ),
    row(
        "mds.root_file",
        Kind::Path,
        Unset("the root of FIDO's signing certificate"),
        "Roots in PEM that must have signed the metadata instead of FIDO's; for a copy signed by somebody else, and tests.",
    ),
    row(
        "mds.hold_percent",
        Kind::Number { min: 0, max: 100 },
        Value("5"),
        "New metadata that would suspend more than this share of a realm's passkeys, or an owner's last one, wait for \
         `idp mds release`.",
    ),
    row(
        "mail.smtp_host",
        Kind::Host,
        Unset("no mails are sent"),
        "SMTP server that takes our mails: notices of changes to an account, codes, links.",
    ),
    row(
        "mail.smtp_port",
        Kind::Number { min: 1, max: 65_535 },
        Unset("587 for `starttls`, 465 for `tls`, 25 for `none`"),
        "Its port.",
    ),
    row(
        "mail.smtp_tls",
        Kind::OneOf(&["starttls", "tls", "none"]),
        Value("starttls"),
        "TLS after `STARTTLS`, which the server must offer; from the first byte; or none.",
    ),
    row("mail.username", Kind::Text, Unset("no authentication"), "User name at the SMTP server."),
    secret("mail.password", Kind::Text, Unset("no authentication"), "Password at the SMTP server."),
    row(
        "mail.ca_file",
        Kind::Path,
        Unset("the system's alone"),
        "A certificate authority in PEM that is trusted for the SMTP server, besides the system's; read at start.",
    ),
    row("mail.from", Kind::Mailbox, Unset("required to send mails"), "Sender of all mails."),
    row(
        "mail.folder",
        Kind::Path,
        Unset("mails go to `mail.smtp_host`"),
        "Instead of a server: a folder that gets each mail as a file `.eml`. For trying out.",
    ),
    secret(
        "database.url",
        Kind::Database,
        Required,
        "`sqlite:///var/lib/idp/idp.db` (three slashes and an absolute path) or a PostgreSQL URL.",
    ),
    row(
        "database.max_connections",
        Kind::Number { min: 1, max: 1000 },
        Value("10"),
        "Connections to PostgreSQL. SQLite has one writer and does not use it.",
    ),
    secret(
        "secrets.encryption_key",
        Kind::Key,
        Required,
        "Key-encryption key: seals the signing keys at rest and what travels through browsers. Keep it apart from the \
         database and its backups; without it the signing keys are lost.",
    ),
    secret(
        "secrets.previous_encryption_key",
        Kind::Key,
        Unset("none"),
        "The key before the last change; still opens what it sealed.",
    ),
    row(
        "telemetry.log_format",
        Kind::OneOf(&["json", "text"]),
        Value("json"),
        "Form of the log on standard error: one JSON object a line, or text for people.",
    ),
    row("telemetry.log_level", Kind::Filter, Value("info"), "What is logged."),
    row(
        "telemetry.otlp_endpoint",
        Kind::Url,
        Unset("no traces are sent"),
        "OpenTelemetry collector that gets traces by OTLP over HTTP; `/v1/traces` is appended.",
    ),
    row(
        "passwords.blocklist",
        Kind::Path,
        Unset("the built-in list alone"),
        "Passwords nobody may choose, one a line, besides the built-in list of some thousand that leaks hold most often; \
         read at start.",
    ),
    row(
        "theme.dir",
        Kind::Path,
        Unset("the built-in theme"),
        "Folder whose files replace those of the built-in theme of the same name.",
    ),
];

/// The row of a path.
pub fn find(path: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.path == path)
}

/// The environment variable of a path: `server.tls_key` is `IDP_SERVER__TLS_KEY`.
pub fn env_name(path: &str) -> String {
    format!("IDP_{}", path.replace('.', "__").to_uppercase())
}
