//! `GET /assets/…`: the theme's files, cached for good under their hash.

use poem::http::header;

use super::answer;
use super::exchange::{Exchange, Outcome};
use super::problem::Problem;
use crate::views::ErrorKind;

/// Serves a file of the theme.
pub async fn get(x: Exchange) -> Outcome {
    let path = x.uri.path().trim_start_matches("/assets/");
    let Some(asset) = x.app.views.asset(path) else {
        return Err(Problem::page(404, ErrorKind::NotFound, "not_found"));
    };
    let unchanged = x.header(header::IF_NONE_MATCH).is_some_and(|tags| tags.contains(&*asset.etag));
    let mut response = if unchanged {
        answer::typed(304, asset.content_type, "")
    } else {
        answer::typed(200, asset.content_type, asset.bytes.to_vec())
    };
    answer::header(&mut response, "etag", &asset.etag);
    let by_hash = x.query().one("v").is_some();
    let caching = if by_hash { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    answer::header(&mut response, "cache-control", caching);
    Ok(response)
}
