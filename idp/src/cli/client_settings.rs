//! The settings of a client as flags. What may be set is the core's to say; every mistake is said at once with its
//! flag.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use idp_core::client::check;
use idp_core::client::{
    AccessTokenFormat, AssertionAudience, ClientAuthMethod, ClientProfile, ClientSettings, ConsentMode, GrantType,
    RequestObjectAlg, RoleMapping, SigningAlg, SubjectType,
};
use idp_core::passkey::reach;
use idp_core::realm::Realm;

use super::operator::pair;
use super::{Failure, usage};

/// What can be set for a client. A list replaces the list, an empty text removes a link or empties a list.
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
    /// A further origin that may call token and userinfo from a browser. May be repeated.
    #[arg(long, value_name = "ORIGIN")]
    web_origin: Vec<String>,
    /// How it gets tokens (default: authorization-code). May be repeated.
    #[arg(long, value_name = "GRANT")]
    grant: Vec<Grant>,
    /// Rules it is held to: `fapi2` asks for PAR, DPoP and private_key_jwt.
    #[arg(long, value_name = "PROFILE")]
    profile: Option<Profile>,
    #[command(flatten)]
    authentication: Authentication,
    #[command(flatten)]
    requests: Requests,
    #[command(flatten)]
    tokens: Tokens,
    /// URL that is told when a session ends (back-channel logout).
    #[arg(long, value_name = "URL")]
    backchannel_logout_uri: Option<String>,
    /// Page that is loaded when a user signs out (front-channel logout).
    #[arg(long, value_name = "URL")]
    frontchannel_logout_uri: Option<String>,
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
    /// Mail address of somebody responsible for it. May be repeated.
    #[arg(long, value_name = "MAIL")]
    contact: Vec<String>,
    /// What it demands of passkeys, as `idp policy set --client` takes it; KEY= takes a demand away. May be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    policy: Vec<(String, String)>,
    /// A client that registered itself was looked at: pages no longer warn about it.
    #[arg(long)]
    verified: bool,
}

/// How the client proves who it is.
#[derive(Args)]
#[command(next_help_heading = "Authentication")]
struct Authentication {
    /// A client without a secret; it uses PKCE.
    #[arg(long, conflicts_with_all = ["secret_basic", "secret_post", "private_key_jwt"])]
    public: bool,
    /// The secret comes in the Authorization header (default).
    #[arg(long, conflicts_with_all = ["secret_post", "private_key_jwt"])]
    secret_basic: bool,
    /// The secret comes in the body.
    #[arg(long, conflicts_with = "private_key_jwt")]
    secret_post: bool,
    /// It signs with a key of its own; see --jwks and --jwks-uri.
    #[arg(long)]
    private_key_jwt: bool,
    /// File with its public keys, a JWK set.
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// Where its public keys are fetched from.
    #[arg(long, value_name = "URL", conflicts_with = "jwks")]
    jwks_uri: Option<String>,
    /// The only algorithm of its assertions.
    #[arg(long, value_name = "ALG")]
    assertion_alg: Option<Alg>,
    /// Whom its assertions are addressed to.
    #[arg(long, value_name = "WHOM")]
    assertion_audience: Option<Audience>,
    /// Its tokens are bound to a key of its own (DPoP).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    dpop: Option<bool>,
}

/// What it may and must ask.
#[derive(Args)]
#[command(next_help_heading = "Requests")]
struct Requests {
    /// Authorization requests are pushed first (PAR).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    require_par: Option<bool>,
    /// The only algorithm of its request objects; `none` lets them be unsigned.
    #[arg(long, value_name = "ALG")]
    request_object_alg: Option<ObjectAlg>,
    /// Requests come as signed request objects.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    require_request_object: Option<bool>,
    /// A scope it may ask for (default: the standard ones). May be repeated.
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// A resource server it may ask tokens for. May be repeated.
    #[arg(long, value_name = "URI")]
    resource: Vec<String>,
    /// It is the resource server of this identifier and may introspect its tokens. May be repeated.
    #[arg(long, value_name = "URI")]
    serves: Vec<String>,
    /// Only members of this group may use it. May be repeated.
    #[arg(long, value_name = "GROUP")]
    allowed_group: Vec<String>,
    /// acr value where a request names none. May be repeated.
    #[arg(long, value_name = "ACR")]
    default_acr: Vec<String>,
    /// One of the requested acr values, or an error.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    acr_binding: Option<bool>,
    /// max_age in seconds where a request names none; -1 removes it.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    default_max_age: Option<i64>,
}

/// What it gets.
#[derive(Args)]
#[command(next_help_heading = "Tokens")]
struct Tokens {
    /// Signature of ID tokens and JWT access tokens.
    #[arg(long, value_name = "ALG")]
    alg: Option<Alg>,
    /// Userinfo as a JWT signed so; `none`: as JSON.
    #[arg(long, value_name = "ALG")]
    userinfo_alg: Option<ObjectAlg>,
    /// Form of access tokens.
    #[arg(long, value_name = "FORM")]
    access_token: Option<Form>,
    /// A new refresh token at each use.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    rotate_refresh_tokens: Option<bool>,
    /// Whether `sub` is the same for every client.
    #[arg(long, value_name = "TYPE")]
    subject: Option<Subject>,
    /// Host that pairwise subjects are made for.
    #[arg(long, value_name = "HOST")]
    sector: Option<String>,
    /// A role that members of a group have at this client. May be repeated.
    #[arg(long, value_name = "ROLE=GROUP")]
    role: Vec<String>,
}

/// Words of a flag and what each means.
macro_rules! words {
    ($($(#[$meta:meta])* $name:ident => $type:ty { $($variant:ident $text:literal = $value:expr,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, ValueEnum)]
        pub enum $name { $(#[value(name = $text)] $variant,)* }

        impl From<$name> for $type {
            fn from(word: $name) -> Self {
                match word { $($name::$variant => $value,)* }
            }
        }
    )*};
}

words! {
    /// Signature algorithms.
    Alg => SigningAlg {
        Es256 "ES256" = Self::ES256,
        Rs256 "RS256" = Self::RS256,
        EdDsa "EdDSA" = Self::EdDSA,
        Ps256 "PS256" = Self::PS256,
    }
    /// The same, and none at all.
    ObjectAlg => RequestObjectAlg {
        Es256 "ES256" = Self::Signed(SigningAlg::ES256),
        Rs256 "RS256" = Self::Signed(SigningAlg::RS256),
        EdDsa "EdDSA" = Self::Signed(SigningAlg::EdDSA),
        Ps256 "PS256" = Self::Signed(SigningAlg::PS256),
        None "none" = Self::Unsigned,
    }
    /// Ways to get tokens.
    Grant => GrantType {
        AuthorizationCode "authorization-code" = Self::AuthorizationCode,
        RefreshToken "refresh-token" = Self::RefreshToken,
        ClientCredentials "client-credentials" = Self::ClientCredentials,
        DeviceCode "device-code" = Self::DeviceCode,
    }
    /// Bundles of rules.
    Profile => ClientProfile { Oidc "oidc" = Self::Oidc, Fapi2 "fapi2" = Self::Fapi2, }
    /// Whom assertions are addressed to.
    Audience => AssertionAudience {
        Issuer "issuer" = Self::Issuer,
        Endpoint "issuer-or-token-endpoint" = Self::IssuerOrTokenEndpoint,
    }
    /// Forms of access tokens.
    Form => AccessTokenFormat { Opaque "opaque" = Self::Opaque, Jwt "jwt" = Self::Jwt, }
    /// Kinds of subjects.
    Subject => SubjectType { Public "public" = Self::Public, Pairwise "pairwise" = Self::Pairwise, }
    /// Whether people are asked.
    Consent => ConsentMode { Ask "ask" = Self::Ask, Skip "skip" = Self::Skip, }
}

/// Writes a flag that was given.
fn set<T, F: Into<T>>(field: &mut T, given: Option<F>) {
    if let Some(value) = given {
        *field = value.into();
    }
}

/// Writes a list that was given; a single empty text empties it.
fn list(field: &mut Vec<String>, given: Vec<String>) {
    if !given.is_empty() {
        *field = given.into_iter().filter(|text| !text.is_empty()).collect();
    }
}

/// Writes a link that was given; an empty text removes it.
fn link(field: &mut Option<String>, given: Option<String>) {
    if let Some(text) = given {
        *field = Some(text).filter(|text| !text.is_empty());
    }
}

impl Flags {
    /// Settings of a new client.
    ///
    /// # Errors
    /// All mistakes, each with its flag.
    pub fn into_new(self, realm: &Realm) -> Result<ClientSettings, Failure> {
        self.apply(ClientSettings { id_token_alg: SigningAlg::ES256, ..ClientSettings::default() }, realm)
    }

    /// `settings` with the flags written over them.
    ///
    /// # Errors
    /// All mistakes, each with its flag.
    pub fn apply(self, settings: ClientSettings, realm: &Realm) -> Result<ClientSettings, Failure> {
        let mut s = settings;
        set(&mut s.name, self.name);
        list(&mut s.redirect_uris, self.redirect_uri);
        list(&mut s.post_logout_redirect_uris, self.post_logout_redirect_uri);
        list(&mut s.web_origins, self.web_origin);
        if !self.grant.is_empty() {
            s.grant_types = self.grant.into_iter().map(GrantType::from).collect();
        }
        set(&mut s.profile, self.profile);
        self.authentication.apply(&mut s)?;
        self.requests.apply(&mut s);
        self.tokens.apply(&mut s);
        link(&mut s.backchannel_logout_uri, self.backchannel_logout_uri);
        link(&mut s.frontchannel_logout_uri, self.frontchannel_logout_uri);
        set(&mut s.consent, self.consent);
        link(&mut s.logo_uri, self.logo_uri);
        link(&mut s.policy_uri, self.policy_uri);
        link(&mut s.tos_uri, self.tos_uri);
        link(&mut s.client_uri, self.client_uri);
        list(&mut s.contacts, self.contact);
        s.unverified &= !self.verified;
        let set = |(name, text): &(String, String)| match text.as_str() {
            "" => s.policy.unset(name).err(),
            text => s.policy.set(name, text).err(),
        };
        let mut demands: Vec<_> = self.policy.iter().filter_map(set).collect();
        if demands.is_empty() {
            demands = reach::problems(realm, &s.policy);
        }
        let mut lines: Vec<_> = demands.iter().map(|problem| format!("--policy: {problem}")).collect();
        lines.extend(check::problems(&s).iter().map(|p| format!("{}: {}", flag(p.field), p.what)));
        if lines.is_empty() {
            return Ok(s);
        }
        Err(usage(lines.join("\n     ")))
    }
}

impl Authentication {
    fn apply(self, s: &mut ClientSettings) -> Result<(), Failure> {
        s.auth_method = match (self.public, self.secret_basic, self.secret_post, self.private_key_jwt) {
            (true, ..) => ClientAuthMethod::None,
            (_, true, ..) => ClientAuthMethod::ClientSecretBasic,
            (_, _, true, _) => ClientAuthMethod::ClientSecretPost,
            (.., true) => ClientAuthMethod::PrivateKeyJwt,
            _ => s.auth_method,
        };
        if let Some(file) = self.jwks {
            let refuse = |what: String| usage(format!("--jwks: {}: {what}", file.display()));
            let text = std::fs::read_to_string(&file).map_err(|e| refuse(e.to_string()))?;
            let keys = serde_json::from_str(&text).map_err(|e| refuse(format!("is not JSON: {e}")))?;
            (s.jwks, s.jwks_uri) = (Some(keys), None);
        }
        if self.jwks_uri.is_some() {
            s.jwks = None;
        }
        link(&mut s.jwks_uri, self.jwks_uri);
        if let Some(alg) = self.assertion_alg {
            s.assertion_alg = Some(alg.into());
        }
        set(&mut s.assertion_audience, self.assertion_audience);
        set(&mut s.dpop_bound, self.dpop);
        Ok(())
    }
}

impl Requests {
    fn apply(self, s: &mut ClientSettings) {
        set(&mut s.require_par, self.require_par);
        if let Some(alg) = self.request_object_alg {
            s.request_object_alg = Some(alg.into());
        }
        set(&mut s.require_request_object, self.require_request_object);
        if !self.scope.is_empty() {
            let scopes: Vec<_> = self.scope.into_iter().filter(|scope| !scope.is_empty()).collect();
            s.scopes = Some(scopes).filter(|scopes| !scopes.is_empty());
        }
        list(&mut s.resources, self.resource);
        list(&mut s.serves, self.serves);
        list(&mut s.allowed_groups, self.allowed_group);
        list(&mut s.default_acr_values, self.default_acr);
        set(&mut s.acr_binding, self.acr_binding);
        if let Some(seconds) = self.default_max_age {
            s.default_max_age_s = Some(seconds).filter(|seconds| *seconds != -1);
        }
    }
}

impl Tokens {
    fn apply(self, s: &mut ClientSettings) {
        set(&mut s.id_token_alg, self.alg);
        if let Some(alg) = self.userinfo_alg {
            s.userinfo_alg = match alg.into() {
                RequestObjectAlg::Signed(alg) => Some(alg),
                RequestObjectAlg::Unsigned => None,
            };
        }
        set(&mut s.access_token, self.access_token);
        set(&mut s.rotate_refresh_tokens, self.rotate_refresh_tokens);
        set(&mut s.subject_type, self.subject);
        if self.sector.is_some() {
            s.sector_identifier_uri = None;
        }
        link(&mut s.sector, self.sector);
        if !self.role.is_empty() {
            // What is not ROLE=GROUP lacks its group, and is refused for that.
            let role = |text: String| match text.split_once('=') {
                Some((role, group)) => RoleMapping { role: role.to_owned(), group: group.to_owned() },
                None => RoleMapping { role: text, group: String::new() },
            };
            s.roles = self.role.into_iter().filter(|text| !text.is_empty()).map(role).collect();
        }
    }
}

/// The flag that sets a field.
fn flag(field: &str) -> String {
    let name = match field {
        "redirect_uris" => "redirect-uri",
        "post_logout_redirect_uris" => "post-logout-redirect-uri",
        "web_origins" => "web-origin",
        "grant_types" => "grant",
        "auth_method" => "private-key-jwt",
        "scopes" => "scope",
        "roles" => "role",
        "resources" => "resource",
        "allowed_groups" => "allowed-group",
        "default_acr_values" => "default-acr",
        "default_max_age_s" => "default-max-age",
        "id_token_alg" => "alg",
        "subject_type" => "subject",
        "contacts" => "contact",
        other => return format!("--{}", other.replace('_', "-")),
    };
    format!("--{name}")
}
