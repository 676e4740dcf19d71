//! The settings of a client as flags, checked as a whole: every mistake is said at once with its flag.
//! OIDC Registration §2, RFC 8252 §7, RFC 9700 §2.1.

use clap::{Args, ValueEnum};
use idp_core::client::{ClientAuthMethod, ClientSettings, ConsentMode, RoleMapping, SigningAlg, SubjectType};
use idp_core::oauth::redirect;
use idp_core::oauth::scope::Scopes;
use idp_core::oidc::subject;

use super::{Failure, usage};

/// What can be set for a client. A list replaces the list, an empty text removes a link.
#[derive(Args)]
pub struct Flags {
    /// What people read on the sign-in and consent pages.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Where answers go; compared byte for byte. May be repeated.
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// Where people may be sent after logging out. May be repeated.
    #[arg(long, value_name = "URI")]
    post_logout_redirect_uri: Vec<String>,
    /// A client without a secret; it uses PKCE.
    #[arg(long, conflicts_with_all = ["secret_basic", "secret_post"])]
    public: bool,
    /// The secret comes in the Authorization header (default).
    #[arg(long, conflicts_with = "secret_post")]
    secret_basic: bool,
    /// The secret comes in the body.
    #[arg(long)]
    secret_post: bool,
    /// Signature of ID tokens.
    #[arg(long, value_name = "ALG")]
    alg: Option<Alg>,
    /// Whether people are asked before the client learns about them.
    #[arg(long, value_name = "MODE")]
    consent: Option<Consent>,
    #[arg(long, value_name = "URL")]
    logo_uri: Option<String>,
    /// Privacy policy.
    #[arg(long, value_name = "URL")]
    policy_uri: Option<String>,
    /// Terms of service.
    #[arg(long, value_name = "URL")]
    tos_uri: Option<String>,
    /// Home page.
    #[arg(long, value_name = "URL")]
    client_uri: Option<String>,
    /// A further origin that may call token and userinfo from a browser. May be repeated.
    #[arg(long, value_name = "ORIGIN")]
    web_origin: Vec<String>,
    /// A scope it may ask for, instead of all. May be repeated; `--scope ""` is all again.
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// What `sub` is: the same for all clients, or another for each sector.
    #[arg(long, value_name = "TYPE")]
    subject_type: Option<Subject>,
    /// Host that pairwise subjects are made for; by default that of the redirect URIs.
    #[arg(long, value_name = "HOST")]
    sector: Option<String>,
    /// Userinfo as a JWT signed with this algorithm, or as JSON.
    #[arg(long, value_name = "ALG")]
    userinfo: Option<Userinfo>,
    /// A role that members of a group have at this client. May be repeated; `--role ""` removes them.
    #[arg(long, value_name = "ROLE=GROUP")]
    role: Vec<String>,
}

/// Signature algorithms as flags spell them.
#[derive(Clone, Copy, ValueEnum)]
pub enum Alg {
    #[value(name = "ES256")]
    Es256,
    #[value(name = "RS256")]
    Rs256,
    #[value(name = "EdDSA")]
    EdDsa,
    #[value(name = "PS256")]
    Ps256,
}

impl From<Alg> for SigningAlg {
    fn from(alg: Alg) -> Self {
        match alg {
            Alg::Es256 => Self::ES256,
            Alg::Rs256 => Self::RS256,
            Alg::EdDsa => Self::EdDSA,
            Alg::Ps256 => Self::PS256,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Consent {
    Ask,
    Skip,
}

#[derive(Clone, Copy, ValueEnum)]
enum Subject {
    Public,
    Pairwise,
}

/// `json` or a signature algorithm.
#[derive(Clone, Copy)]
enum Userinfo {
    Json,
    Signed(Alg),
}

impl std::str::FromStr for Userinfo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "json" { Ok(Self::Json) } else { Alg::from_str(text, false).map(Self::Signed) }
    }
}

impl Flags {
    /// Settings of a new client.
    ///
    /// # Errors
    /// All mistakes, each with its flag.
    pub fn into_new(self) -> Result<ClientSettings, Failure> {
        self.apply(ClientSettings { id_token_alg: SigningAlg::ES256, ..ClientSettings::default() })
    }

    /// `settings` with the flags written over them.
    ///
    /// # Errors
    /// All mistakes, each with its flag.
    pub fn apply(self, mut settings: ClientSettings) -> Result<ClientSettings, Failure> {
        settings.auth_method = match (self.public, self.secret_basic, self.secret_post) {
            (true, _, _) => ClientAuthMethod::None,
            (_, true, _) => ClientAuthMethod::ClientSecretBasic,
            (_, _, true) => ClientAuthMethod::ClientSecretPost,
            _ => settings.auth_method,
        };
        settings.name = self.name.unwrap_or(settings.name);
        settings.id_token_alg = self.alg.map_or(settings.id_token_alg, SigningAlg::from);
        settings.consent = match self.consent {
            Some(Consent::Ask) => ConsentMode::Ask,
            Some(Consent::Skip) => ConsentMode::Skip,
            None => settings.consent,
        };
        for (given, list) in [
            (self.redirect_uri, &mut settings.redirect_uris),
            (self.post_logout_redirect_uri, &mut settings.post_logout_redirect_uris),
            (self.web_origin, &mut settings.web_origins),
        ] {
            if !given.is_empty() {
                *list = given;
            }
        }
        settings.subject_type = match self.subject_type {
            Some(Subject::Public) => SubjectType::Public,
            Some(Subject::Pairwise) => SubjectType::Pairwise,
            None => settings.subject_type,
        };
        settings.userinfo_alg = match self.userinfo {
            None => settings.userinfo_alg,
            Some(Userinfo::Json) => None,
            Some(Userinfo::Signed(alg)) => Some(alg.into()),
        };
        if !self.scope.is_empty() {
            settings.scopes = Some(self.scope).filter(|scopes| scopes.iter().any(|scope| !scope.is_empty()));
        }
        if !self.role.is_empty() {
            settings.roles = self.role.iter().filter(|text| !text.is_empty()).map(|text| role(text)).collect();
        }
        for (given, link) in [
            (self.logo_uri, &mut settings.logo_uri),
            (self.policy_uri, &mut settings.policy_uri),
            (self.tos_uri, &mut settings.tos_uri),
            (self.client_uri, &mut settings.client_uri),
            (self.sector, &mut settings.sector),
        ] {
            if let Some(text) = given {
                *link = Some(text).filter(|text| !text.is_empty());
            }
        }
        let problems = problems(&settings);
        if problems.is_empty() { Ok(settings) } else { Err(usage(problems.join("\n     "))) }
    }
}

/// `ROLE=GROUP`; what is missing is said by [`problems`].
fn role(text: &str) -> RoleMapping {
    let (role, group) = text.split_once('=').unwrap_or((text, ""));
    RoleMapping { role: role.to_owned(), group: group.to_owned() }
}

fn problems(settings: &ClientSettings) -> Vec<String> {
    let mut problems = Vec::new();
    let name = settings.name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        problems.push("--name: write what people shall read, 1 to 100 characters".to_owned());
    }
    if settings.redirect_uris.is_empty() {
        problems.push("--redirect-uri: name at least one".to_owned());
    }
    let lists = [
        ("--redirect-uri", &settings.redirect_uris),
        ("--post-logout-redirect-uri", &settings.post_logout_redirect_uris),
    ];
    for (flag, uris) in lists {
        for uri in uris {
            if let Err(problem) = redirect::check(uri) {
                problems.push(format!("{flag}: {uri:?} {problem}"));
            }
        }
    }
    for origin in &settings.web_origins {
        match redirect::is_web_address(origin).then(|| redirect::origin(origin)).flatten() {
            Some(normal) if normal == *origin => {}
            Some(normal) => problems.push(format!("--web-origin: {origin:?} is not an origin: write {normal:?}")),
            None => problems.push(format!("--web-origin: {origin:?} is not an https origin (http on loopback only)")),
        }
    }
    if settings.subject_type == SubjectType::Pairwise || settings.sector.is_some() {
        if let Err(problem) = subject::sector(settings) {
            problems.push(format!("--sector: {problem}"));
        }
    }
    for RoleMapping { role, group } in &settings.roles {
        let good = |text: &str| (1..=128).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if !good(role) || !good(group) {
            problems.push(format!("--role: \"{role}={group}\" is no ROLE=GROUP of 1 to 128 characters each"));
        }
    }
    for scope in settings.scopes.iter().flatten() {
        if Scopes::parse(scope, &[scope]).is_none_or(|parsed| parsed.as_str() != scope) {
            problems.push(format!("--scope: {scope:?} is no scope"));
        }
    }
    let links = [
        ("--logo-uri", &settings.logo_uri),
        ("--policy-uri", &settings.policy_uri),
        ("--tos-uri", &settings.tos_uri),
        ("--client-uri", &settings.client_uri),
    ];
    for (flag, link) in links {
        if let Some(link) = link.as_deref().filter(|link| !redirect::is_web_address(link)) {
            problems.push(format!("{flag}: {link:?} is not an https URL (http on loopback only)"));
        }
    }
    problems
}

/// Doubts worth a word that are no mistakes.
pub fn doubt(settings: &ClientSettings) -> Option<&'static str> {
    let skip = settings.consent == ConsentMode::Skip;
    (skip && settings.redirect_uris.iter().any(|uri| redirect::is_impersonable(uri))).then_some(
        "Note: people are asked for consent all the same at loopback and private-scheme redirects, \
         where any program could pose as this client (RFC 8252 §8.6).",
    )
}
