//! `sector_identifier_uri`: fetched when a client registers, behind the guard. OIDC Registration §5.

use idp_core::realm::Registration;
use serde_json::{Value, json};

use super::{about, refused, world};
use crate::world::{Db, OUTSIDE, Outside, Reply};

const URIS: [&str; 2] = ["https://a.example/cb", "https://b.example/cb"];

fn document(sector: &str) -> Value {
    about(json!({ "redirect_uris": URIS, "subject_type": "pairwise", "sector_identifier_uri": sector }))
}

#[tokio::test]
async fn the_document_lists_every_redirect_uri() {
    let (w, server) = (world(Db::Sqlite, Registration::Open).await, Outside::at(OUTSIDE).await);
    let document = document(&server.url("/sector"));
    server.answers(Reply::Json(json!([URIS[0], URIS[1], "https://c.example/cb"])));
    let told = w.registered(&document).await;
    assert_eq!(told["sector_identifier_uri"], document["sector_identifier_uri"]);
    assert_eq!(w.client_of(&told).await.unwrap().settings.sector.as_deref(), Some("127.0.0.1"));
    assert_eq!(server.requests().len(), 1);
    for reply in [
        Reply::Json(json!([URIS[0]])),
        Reply::Json(json!([URIS[0], "https://b.example/cb/"])),
        Reply::Json(json!({ "redirect_uris": URIS })),
        Reply::Status(404),
        Reply::Status(200),
        Reply::Redirect(server.url("/other")),
        Reply::Endless,
    ] {
        server.answers(reply);
        let page = w.register(None, &document).await;
        refused(&page, "registration.sector", "invalid_client_metadata", "sector_identifier_uri");
    }
    assert_eq!(w.app.store.list_clients(w.realm).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_the_guard_refuses_is_never_called_and_calls_are_counted() {
    let (w, inside) = (world(Db::Sqlite, Registration::Open).await, Outside::at("127.0.0.2".parse().unwrap()).await);
    let elsewhere = ["https://169.254.169.254/latest", "https://[::ffff:10.0.0.1]/", "https://10.0.0.1/sector"];
    let addresses: Vec<String> =
        std::iter::once(inside.url("/sector")).chain(elsewhere.map(str::to_owned)).cycle().take(100).collect();
    let mut answers = Vec::new();
    for address in &addresses {
        let page = w.register(None, &document(address)).await;
        refused(&page, "registration.sector", "invalid_client_metadata", "sector_identifier_uri");
        answers.push(page.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "what our calls meet is for the log alone");
    assert_eq!(inside.connections(), 0);
    assert_eq!(w.register(None, &document(&addresses[0])).await.status, 429);
}
