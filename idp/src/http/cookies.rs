//! Cookies: seven, all `HttpOnly`, `SameSite=Lax`, `Path=/`. RFC 6265bis §4.1.3.2 (`__Host-`).

use idp_core::passkey::policy::REST_DAYS;
use idp_core::realm::Realm;
use poem::http::HeaderMap;
use poem::http::header::COOKIE;

/// What a cookie is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieKind {
    /// The session: 32 random bytes; changes at each sign-in.
    Session,
    /// Binds ceremonies and form tokens to this browser before anybody signed in.
    Browser,
    /// Factors passed before the final one, sealed.
    Login,
    /// The account that signed in with this browser last, sealed: its throttle bucket is its own.
    Known,
    /// The requests for which a device's user code was entered with this browser, sealed.
    Device,
    /// A recovery on its way, sealed.
    Recovery,
    /// The account for which this browser was asked to make a passkey without a dialogue: not at each sign-in.
    Upgrade,
    /// A mailed code that confirms who makes a first passkey, sealed.
    Confirmation,
}

impl CookieKind {
    /// Lifetime in seconds; `None`: until the browser closes.
    const fn max_age_s(self) -> Option<i64> {
        match self {
            Self::Session | Self::Browser => None,
            Self::Login | Self::Confirmation | Self::Device => Some(600),
            Self::Known => Some(180 * 24 * 3600),
            // The longest wait and the week after it.
            Self::Recovery => Some(37 * 24 * 3600),
            Self::Upgrade => Some(REST_DAYS as i64 * 24 * 3600),
        }
    }
}

/// `__Host-` under https. On a loopback http issuer the port is part of the name, because ports share cookies
/// and Safari refuses `Secure` there.
pub fn name(realm: &Realm, kind: CookieKind) -> String {
    let suffix = match kind {
        CookieKind::Session => "session",
        CookieKind::Browser => "browser",
        CookieKind::Login => "login",
        CookieKind::Known => "known",
        CookieKind::Device => "device",
        CookieKind::Recovery => "recovery",
        CookieKind::Upgrade => "upgrade",
        CookieKind::Confirmation => "confirmation",
    };
    if realm.is_https() {
        return format!("__Host-idp-{suffix}");
    }
    let port = realm.issuer.rsplit(':').next().unwrap_or_default();
    format!("idp-{port}-{suffix}")
}

/// The value a browser sent, if any; of several the first.
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    // By bytes: a cookie of a neighbouring host that is no text must not hide ours on the same line.
    let pairs = headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(|pair| std::str::from_utf8(pair).ok()).find_map(|pair| {
        let (n, value) = pair.trim().split_once('=')?;
        (n == name && !value.is_empty()).then_some(value)
    })
}

/// A `Set-Cookie` value.
pub fn set(realm: &Realm, kind: CookieKind, value: &str) -> String {
    let age = kind.max_age_s().map(|s| format!("; Max-Age={s}")).unwrap_or_default();
    format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{age}{}", name(realm, kind), secure(realm))
}

/// A `Set-Cookie` value that removes a cookie.
pub fn remove(realm: &Realm, kind: CookieKind) -> String {
    format!("{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{}", name(realm, kind), secure(realm))
}

fn secure(realm: &Realm) -> &'static str {
    if realm.is_https() { "; Secure" } else { "" }
}
