//! Cross-origin calls: public documents for any origin; token and userinfo for the origins of the client at hand,
//! never with credentials. Fetch Standard §3.2; nothing on pages and `/authorize`.

use idp_core::client::Client;
use idp_core::oauth::redirect;
use poem::Response;
use poem::http::header::{self, HeaderMap};

use super::answer;

/// Lets any origin read a public document.
pub fn anyone(response: &mut Response) {
    answer::header(response, "access-control-allow-origin", "*");
}

/// Lets the calling page read the answer if it belongs to the client.
pub fn client(response: &mut Response, headers: &HeaderMap, client: &Client) {
    answer::header(response, "vary", "Origin");
    let Some(origin) = headers.get(header::ORIGIN).and_then(|o| o.to_str().ok()) else { return };
    let settings = &client.settings;
    let of_redirect = settings.redirect_uris.iter().filter_map(|uri| redirect::origin(uri)).any(|o| o == origin);
    if of_redirect || settings.web_origins.iter().any(|o| o == origin) {
        answer::header(response, "access-control-allow-origin", origin);
        answer::header(response, "access-control-expose-headers", "WWW-Authenticate, Retry-After, DPoP-Nonce");
    }
}

/// Answers a preflight. It names no client, so it promises nothing: the answer itself decides who may read it.
pub fn preflight(headers: &HeaderMap, methods: &str) -> Response {
    let mut response = answer::typed(204, "text/plain", "");
    let origin = headers.get(header::ORIGIN).and_then(|o| o.to_str().ok()).unwrap_or("*");
    answer::header(&mut response, "access-control-allow-origin", origin);
    answer::header(&mut response, "access-control-allow-methods", methods);
    answer::header(&mut response, "access-control-allow-headers", "Authorization, Content-Type, DPoP");
    answer::header(&mut response, "access-control-max-age", "600");
    answer::header(&mut response, "vary", "Origin");
    response
}
