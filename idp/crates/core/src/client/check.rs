//! What may be set for a client, whoever sets it: the command line, an admin, or the client by registration.
//! OIDC Registration §2, RFC 7591 §2, RFC 8252 §7, RFC 9700 §2.1, FAPI 2.0 Security Profile §5.3.2.

use url::Url;

use super::{
    ClientAuthMethod, ClientProfile, ClientSettings, ConsentMode, GrantType, RequestObjectAlg, RoleMapping, SigningAlg,
    SubjectType,
};
use crate::account::check_email;
use crate::acr::value::Acr;
use crate::jose::jwk::JwkSet;
use crate::oauth::redirect;
use crate::oidc::subject;

/// Something that keeps settings from being saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Name of the field in [`ClientSettings`].
    pub field: &'static str,
    /// What is wrong and what to write instead.
    pub what: String,
}

fn problem(field: &'static str, what: impl Into<String>) -> Problem {
    Problem { field, what: what.into() }
}

/// Everything that keeps settings from being saved.
pub fn problems(settings: &ClientSettings) -> Vec<Problem> {
    let mut problems = Vec::new();
    addresses(settings, &mut problems);
    authentication(settings, &mut problems);
    requests(settings, &mut problems);
    subjects(settings, &mut problems);
    logout(settings, &mut problems);
    if settings.profile == ClientProfile::Fapi2 {
        fapi2(settings, &mut problems);
    }
    problems
}

/// Doubts worth a word that keep nothing from being saved.
pub fn doubt(settings: &ClientSettings) -> Option<&'static str> {
    let skip = settings.consent == ConsentMode::Skip;
    (skip && settings.redirect_uris.iter().any(|uri| redirect::is_impersonable(uri))).then_some(
        "people are asked for consent all the same at loopback and private-scheme redirects, where any program could \
         pose as this client (RFC 8252 §8.6)",
    )
}

fn addresses(settings: &ClientSettings, out: &mut Vec<Problem>) {
    let name = settings.name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        out.push(problem("name", "write what people shall read, 1 to 100 characters"));
    }
    let by_browser = settings.grant_types.contains(&GrantType::AuthorizationCode);
    if by_browser && settings.redirect_uris.is_empty() {
        out.push(problem("redirect_uris", "name at least one"));
    }
    let lists = [
        ("redirect_uris", &settings.redirect_uris),
        ("post_logout_redirect_uris", &settings.post_logout_redirect_uris),
    ];
    for (field, uris) in lists {
        for uri in uris {
            if let Err(invalid) = redirect::check(uri) {
                out.push(problem(field, format!("{uri:?} {invalid}")));
            }
        }
    }
    for origin in &settings.web_origins {
        match redirect::is_web_address(origin).then(|| redirect::origin(origin)).flatten() {
            Some(normal) if normal == *origin => {}
            Some(normal) => out.push(problem("web_origins", format!("{origin:?} is not an origin: write {normal:?}"))),
            None => {
                out.push(problem("web_origins", format!("{origin:?} is not an https origin (http on loopback only)")))
            }
        }
    }
    let links = [
        ("logo_uri", &settings.logo_uri),
        ("policy_uri", &settings.policy_uri),
        ("tos_uri", &settings.tos_uri),
        ("client_uri", &settings.client_uri),
        ("jwks_uri", &settings.jwks_uri),
        ("sector_identifier_uri", &settings.sector_identifier_uri),
        ("backchannel_logout_uri", &settings.backchannel_logout_uri),
        ("frontchannel_logout_uri", &settings.frontchannel_logout_uri),
    ];
    for (field, link) in links {
        if let Some(link) = link.as_deref().filter(|link| !redirect::is_web_address(link)) {
            out.push(problem(field, format!("{link:?} is not an https URL (http on loopback only)")));
        }
    }
    for contact in settings.contacts.iter().filter(|contact| check_email(contact).is_err()) {
        out.push(problem("contacts", format!("{contact:?} is not a mail address")));
    }
}

fn authentication(settings: &ClientSettings, out: &mut Vec<Problem>) {
    let by_key = settings.auth_method == ClientAuthMethod::PrivateKeyJwt;
    match (&settings.jwks, &settings.jwks_uri) {
        (Some(_), Some(_)) => out.push(problem("jwks", "set either the keys or the URL they are fetched from")),
        (None, None) if by_key => {
            out.push(problem(
                "jwks",
                "private_key_jwt needs the client's public keys, or the URL they are fetched from",
            ));
        }
        (Some(jwks), None) => {
            if let Err(invalid) = JwkSet::parse(&jwks.to_string()) {
                out.push(problem("jwks", format!("the JWK set {invalid}")));
            }
        }
        _ => {}
    }
    if settings.is_public() && settings.grant_types.contains(&GrantType::ClientCredentials) {
        out.push(problem("grant_types", "a public client cannot act for itself: no client_credentials"));
    }
    if settings.is_public() && !settings.serves.is_empty() {
        out.push(problem("serves", "a resource server proves who it is: give it a secret or a key"));
    }
    if settings.grant_types.is_empty() && settings.serves.is_empty() {
        out.push(problem("grant_types", "name at least one"));
    }
}

fn requests(settings: &ClientSettings, out: &mut Vec<Problem>) {
    for (field, uris) in [("resources", &settings.resources), ("serves", &settings.serves)] {
        for uri in uris.iter().filter(|uri| uri.contains('#') || uri.len() > 512 || Url::parse(uri).is_err()) {
            out.push(problem(field, format!("{uri:?} is not an absolute URI without a fragment")));
        }
    }
    // RFC 6749 §3.3: printable characters but blank, quote and backslash.
    let token = |s: &String| !s.is_empty() && s.chars().all(|c| matches!(c, '!' | '#'..='[' | ']'..='~'));
    for scope in settings.scopes.iter().flatten().filter(|scope| !token(scope)) {
        out.push(problem("scopes", format!("{scope:?} is not a scope: printable ASCII without blank, \" and \\")));
    }
    for acr in settings.default_acr_values.iter().filter(|acr| Acr::parse(acr).is_none()) {
        out.push(problem("default_acr_values", format!("{acr:?} is not an acr value this provider knows")));
    }
    if settings.default_max_age_s.is_some_and(|s| !(0..=31_536_000).contains(&s)) {
        out.push(problem("default_max_age_s", "must be a number of seconds, at most a year"));
    }
    let keys = settings.jwks.is_some() || settings.jwks_uri.is_some();
    if settings.require_request_object && settings.request_object_alg == Some(RequestObjectAlg::Unsigned) {
        out.push(problem("request_object_alg", "request objects that are required are signed (RFC 9101 §10.5)"));
    }
    if settings.require_request_object && !keys {
        out.push(problem("require_request_object", "signed request objects need the client's public keys"));
    }
}

fn subjects(settings: &ClientSettings, out: &mut Vec<Problem>) {
    if (settings.subject_type == SubjectType::Pairwise || settings.sector.is_some())
        && let Err(invalid) = subject::sector(settings)
    {
        out.push(problem("sector", invalid.to_string()));
    }
    let good = |text: &str| (1..=128).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    for RoleMapping { role, group } in settings.roles.iter().filter(|r| !good(&r.role) || !good(&r.group)) {
        out.push(problem("roles", format!("\"{role}={group}\" is no role and group of 1 to 128 characters each")));
    }
}

fn logout(settings: &ClientSettings, out: &mut Vec<Problem>) {
    if settings.backchannel_logout_uri.as_ref().is_some_and(|uri| uri.contains('#')) {
        out.push(problem("backchannel_logout_uri", "has a fragment"));
    }
    // Front-Channel Logout §2: scheme, host and port are those of a redirect URI.
    let origins: Vec<_> = settings.redirect_uris.iter().filter_map(|uri| redirect::origin(uri)).collect();
    if let Some(uri) = &settings.frontchannel_logout_uri
        && redirect::origin(uri).is_none_or(|origin| !origins.contains(&origin))
    {
        out.push(problem("frontchannel_logout_uri", "must have scheme, host and port of a redirect URI"));
    }
}

fn fapi2(settings: &ClientSettings, out: &mut Vec<Problem>) {
    if settings.auth_method != ClientAuthMethod::PrivateKeyJwt {
        out.push(problem("auth_method", "FAPI 2.0 asks for private_key_jwt"));
    }
    if !SigningAlg::FAPI.contains(&settings.id_token_alg) {
        out.push(problem("id_token_alg", "FAPI 2.0 allows ES256, EdDSA and PS256"));
    }
    if settings.assertion_alg.is_some_and(|alg| !SigningAlg::FAPI.contains(&alg)) {
        out.push(problem("assertion_alg", "FAPI 2.0 allows ES256, EdDSA and PS256"));
    }
    if settings.rotate_refresh_tokens {
        out.push(problem("rotate_refresh_tokens", "FAPI 2.0 does not rotate refresh tokens"));
    }
    for uri in settings.redirect_uris.iter().filter(|uri| !redirect::is_confidential(uri)) {
        out.push(problem("redirect_uris", format!("{uri:?} is neither https nor a loopback IP address (FAPI 2.0)")));
    }
}

#[cfg(test)]
mod tests {
    use super::problems;
    use crate::client::{
        ClientAuthMethod, ClientProfile, ClientSettings, GrantType, RequestObjectAlg, RoleMapping, SigningAlg,
        SubjectType,
    };

    fn good() -> ClientSettings {
        ClientSettings {
            name: "App".to_owned(),
            redirect_uris: vec!["https://app.example/cb".to_owned()],
            ..ClientSettings::default()
        }
    }

    #[test]
    fn names_the_field_of_each_problem() {
        assert_eq!(problems(&good()), []);
        type Change = fn(&mut ClientSettings);
        let strings = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let cases: Vec<(&str, Change)> = vec![
            ("name", |s| s.name = " ".into()),
            ("redirect_uris", |s| s.redirect_uris.clear()),
            ("redirect_uris", |s| s.redirect_uris.push("javascript:alert(1)".into())),
            ("post_logout_redirect_uris", |s| s.post_logout_redirect_uris.push(" https://a.example".into())),
            ("web_origins", |s| s.web_origins.push("https://a.example/".into())),
            ("logo_uri", |s| s.logo_uri = Some("data:image/png;base64,AAAA".into())),
            ("jwks_uri", |s| s.jwks_uri = Some("http://a.example/keys".into())),
            ("jwks", |s| s.auth_method = ClientAuthMethod::PrivateKeyJwt),
            ("jwks", |s| s.jwks = Some(serde_json::json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] }))),
            ("grant_types", |s| s.grant_types.clear()),
            ("grant_types", |s| {
                s.auth_method = ClientAuthMethod::None;
                s.grant_types.push(GrantType::ClientCredentials);
            }),
            ("serves", |s| {
                s.auth_method = ClientAuthMethod::None;
                s.serves.push("https://api.example".into());
            }),
            ("resources", |s| s.resources.push("api".into())),
            ("scopes", |s| s.scopes = Some(vec!["a b".into()])),
            ("default_acr_values", |s| s.default_acr_values.push("gold".into())),
            ("default_max_age_s", |s| s.default_max_age_s = Some(-1)),
            ("require_request_object", |s| s.require_request_object = true),
            ("request_object_alg", |s| {
                s.require_request_object = true;
                s.request_object_alg = Some(RequestObjectAlg::Unsigned);
                s.jwks_uri = Some("https://app.example/keys".into());
            }),
            ("sector", |s| {
                s.subject_type = SubjectType::Pairwise;
                s.redirect_uris.push("https://other.example/cb".into());
            }),
            ("sector", |s| s.sector = Some("https://app.example".into())),
            ("roles", |s| s.roles.push(RoleMapping { role: "admin".into(), group: String::new() })),
            ("backchannel_logout_uri", |s| s.backchannel_logout_uri = Some("https://app.example/out#x".into())),
            ("frontchannel_logout_uri", |s| s.frontchannel_logout_uri = Some("https://other.example/out".into())),
            ("auth_method", |s| {
                s.profile = ClientProfile::Fapi2;
                s.id_token_alg = SigningAlg::ES256;
            }),
            ("contacts", |s| s.contacts.push("nobody".into())),
        ];
        for (field, change) in cases {
            let mut settings = good();
            change(&mut settings);
            let fields: Vec<_> = problems(&settings).iter().map(|p| p.field).collect();
            assert_eq!(strings(&fields), strings(&[field]));
        }
    }
}
