//! `/register`: clients register, read, change and delete themselves. RFC 7591 §3, RFC 7592 §2.

use idp_core::audit::{Actor, Audit, AuditEvent};
use idp_core::client::{Client, ClientSettings, ClientState};
use idp_core::encoding::base64url;
use idp_core::id::ClientId;
use idp_core::oauth::error::OAuthError;
use idp_core::oauth::registration::{self, bearer, describe, document, manage};
use idp_core::realm::Registration;
use idp_core::secret::{Hash, sha256};
use idp_core::time::Timestamp;
use idp_store::clients::{ClientUpdated, DeleteClient, UpdateClient};
use idp_store::registrations::{RegisterClient, Registered};
use poem::http::header;
use serde_json::json;

use crate::client_keys::host;
use crate::event;
use crate::http::answer;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::login::throttle::{self, Guess};
use crate::http::problem::Problem;

fn refuse(error: OAuthError) -> Problem {
    Problem::OAuth(error, false)
}

fn unauthorized(error: OAuthError) -> Problem {
    Problem::Bearer(Some(error))
}

/// `POST /register`.
pub async fn post(mut x: Exchange) -> Outcome {
    let (pass, guess) = admitted(&x).await?;
    let settings = registration::register(&document(&x.json_bytes().await?).map_err(refuse)?, &x.realm.settings);
    let settings = settings.map_err(refuse)?;
    if let Err(problem) = sector(&x, &settings).await {
        // What makes us call others is counted whether it succeeds or not.
        if let Some(guess) = &guess {
            x.app.store.write(throttle::counted(&x, guess)).await?;
        }
        return Err(problem);
    }
    let secret = settings.auth_method.has_secret().then(|| base64url(x.app.random::<32>()));
    let token = base64url(x.app.random::<32>());
    let client = Client {
        // A letter first: one that began with - would look like a flag to commands.
        id: ClientId::parse(&format!("c{}", base64url(x.app.random::<16>()))).map_err(Problem::internal)?,
        state: ClientState::Active,
        secret_hash: secret.as_ref().map(|secret| sha256(secret.as_bytes())),
        registration_hash: Some(sha256(token.as_bytes())),
        settings,
        created: x.now,
        updated: x.now,
    };
    let actor = if pass.is_some() { Actor::Pass } else { Actor::Anonymous };
    let op = RegisterClient {
        realm: x.realm.id,
        client: client.clone(),
        pass,
        throttle: guess.as_ref().map(|guess| throttle::counted(&x, guess)),
        now: x.now,
        audit: Audit {
            client_id: Some(client.id.clone()),
            ..x.audit(AuditEvent::ClientRegistered, actor, json!({ "name": client.settings.name }))
        },
    };
    match x.app.store.write(op).await? {
        Registered::Done => {
            event::note(|e| e.client_id = Some(client.id.to_string()));
            let body = describe(&client, &x.realm.issuer, &token, secret.as_deref());
            x.reply(201, &body)
        }
        Registered::Spent => Err(unauthorized(registration::spent())),
        Registered::Full => Err(Problem::Wait { status: 429, code: "registrations_full", seconds: 3600 }),
        Registered::Taken => Err(Problem::internal("a random client_id is taken")),
    }
}

/// Whether a client may be registered: by this initial access token, else as one of so many from its address.
async fn admitted(x: &Exchange) -> Result<(Option<Hash>, Option<Guess>), Problem> {
    let policy = x.realm.settings.registration;
    if policy == Registration::Off {
        let text = "clients do not register themselves here: ask the administrator for a client";
        return Err(Problem::api(403, "registration_off", text));
    }
    match x.header(header::AUTHORIZATION) {
        Some(sent) => {
            let token = bearer(sent).ok_or_else(|| unauthorized(registration::spent()))?;
            let pass = x.app.store.find_pass(x.realm.id, &sha256(token.as_bytes())).await?;
            let pass = registration::admit(pass.as_ref(), x.now).map_err(unauthorized)?;
            Ok((Some(pass.hash), None))
        }
        None if policy == Registration::Open => Ok((None, Some(throttle::begin_registration(x).await?))),
        None => Err(Problem::Bearer(None)),
    }
}

/// Fetches the document at `sector_identifier_uri`, which must list the redirect URIs (OIDC Registration §5).
async fn sector(x: &Exchange, settings: &ClientSettings) -> Result<(), Problem> {
    let Some(uri) = &settings.sector_identifier_uri else { return Ok(()) };
    let document = x.app.outbound.get_json(uri).await.map_err(|error| {
        tracing::warn!(host = host(uri), reason = error.reason(), %error, "no document at a sector_identifier_uri");
        // To a stranger no more than this: what our calls meet would map our network.
        refuse(registration::sector_refused("the document cannot be fetched; the provider's log says why"))
    })?;
    registration::sector(&document, settings).map_err(refuse)
}

/// The client of the address, and the registration access token that came for it.
async fn client_of(x: &Exchange) -> Result<(Client, String), Problem> {
    let sent = x.header(header::AUTHORIZATION).ok_or(Problem::Bearer(None))?;
    let token = bearer(sent).unwrap_or_default().to_owned();
    let id = x.uri.path().rsplit('/').next().and_then(|id| ClientId::parse(id).ok());
    let client = match id {
        Some(id) => x.app.store.find_client(x.realm.id, &id).await?,
        None => None,
    };
    let client = manage(client, &token).map_err(unauthorized)?;
    event::note(|e| e.client_id = Some(client.id.to_string()));
    Ok((client, token))
}

/// `GET /register/CLIENT`.
pub async fn get(x: Exchange) -> Outcome {
    let (client, token) = client_of(&x).await?;
    let body = describe(&client, &x.realm.issuer, &token, None);
    x.reply(200, &body)
}

/// `PUT /register/CLIENT`.
pub async fn put(mut x: Exchange) -> Outcome {
    let (seen, token) = client_of(&x).await?;
    let document = document(&x.json_bytes().await?).map_err(refuse)?;
    let settings = registration::replace(&document, &seen, &x.realm.settings).map_err(refuse)?;
    let (mut client, mut secret) = (seen.clone(), None);
    if settings != seen.settings {
        // A commit of its own, before we call others or empty caches for a stranger.
        let guess = throttle::begin_registration(&x).await?;
        x.app.store.write(throttle::counted(&x, &guess)).await?;
        sector(&x, &settings).await?;
        client.settings = settings;
        client.updated = x.now.max(Timestamp::from_ms(seen.updated.ms().saturating_add(1)));
        match (client.settings.auth_method.has_secret(), client.secret_hash) {
            (false, _) => client.secret_hash = None,
            (true, None) => {
                let fresh = base64url(x.app.random::<32>());
                client.secret_hash = Some(sha256(fresh.as_bytes()));
                secret = Some(fresh);
            }
            (true, Some(_)) => {}
        }
        let actor = Actor::Client(client.id.clone());
        let audit = x.audit(AuditEvent::ClientChanged, actor, json!({ "what": "registration" }));
        let op = UpdateClient { realm: x.realm.id, client: client.clone(), seen: seen.updated, audit };
        if x.app.store.write(op).await? == ClientUpdated::Changed {
            return Err(Problem::api(409, "client_changed", "the client was changed at the same time: read it again"));
        }
    }
    let body = describe(&client, &x.realm.issuer, &token, secret.as_deref());
    x.reply(200, &body)
}

/// `DELETE /register/CLIENT`: what it was granted is revoked.
pub async fn delete(x: Exchange) -> Outcome {
    let (client, _) = client_of(&x).await?;
    let audit = x.audit(AuditEvent::ClientDeleted, Actor::Client(client.id.clone()), json!({ "what": "registration" }));
    x.app.store.write(DeleteClient { realm: x.realm.id, id: client.id, audit }).await?;
    Ok(answer::typed(204, "application/json", ""))
}
