//! The guard against server-side request forgery, on real sockets.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use idp::outbound::{Options, Outbound, OutboundError};
use serde_json::json;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;

use crate::world::{Outside, Reply};

fn ours() -> IpAddr {
    "127.0.0.1".parse().unwrap()
}

/// With one address allowed, or none.
fn outbound(allow: Option<&str>) -> Outbound {
    let allow = allow.into_iter().map(|ip| ip.parse::<IpAddr>().unwrap().into()).collect();
    Outbound::new(Options { allow, ..Options::default() })
}

#[tokio::test]
async fn an_address_inside_gets_no_connection_however_it_is_written() {
    let server = Outside::at(ours()).await;
    let port = server.address.port();
    let outbound = outbound(Some("127.0.0.9"));
    for host in
        ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost", "0"]
    {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/internal");
            let error = outbound.get_json(&url).await.unwrap_err();
            assert!(matches!(error, OutboundError::Refused(_)), "{url}: {error}");
            assert!(error.to_string().contains("outbound.allow"), "it says what to do: {error}");
            let error = outbound.post_form(&url, &[("a", "b")]).await.unwrap_err();
            assert!(matches!(error, OutboundError::Refused(_)), "{url}: {error}");
        }
    }
    for url in ["ftp://127.0.0.9/", "file:///etc/passwd", "https://a:b@127.0.0.9/", "gopher://x/", "/jwks", ""] {
        let error = outbound.get_json(url).await.unwrap_err();
        assert!(matches!(error, OutboundError::Url), "{url}: {error}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_listed_address_is_called_by_number_and_by_name() {
    let server = Outside::at(ours()).await;
    let outbound = outbound(Some("127.0.0.1"));
    server.answers(Reply::Json(json!({ "keys": [] })));
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/jwks?a=b", server.address.port());
        assert_eq!(outbound.get_json(&url).await.unwrap(), json!({ "keys": [] }));
    }
    assert_eq!(outbound.post_form(&server.url("/out"), &[("logout_token", "a b&c")]).await.unwrap(), 200);
    let requests = server.requests();
    assert_eq!(requests[0].line, "GET /jwks?a=b");
    assert_eq!((requests[2].line.as_str(), requests[2].form["logout_token"].as_str()), ("POST /out", "a b&c"));
    assert_eq!(requests[2].content_type, "application/x-www-form-urlencoded");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (inside, server) = (Outside::at("127.0.0.2".parse().unwrap()).await, Outside::at(ours()).await);
    for to in [inside.url("/admin"), server.url("/again")] {
        server.answers(Reply::Redirect(to));
        let outbound = outbound(Some("127.0.0.1"));
        assert!(matches!(outbound.get_json(&server.url("/")).await, Err(OutboundError::Status(302))));
        assert_eq!(outbound.post_form(&server.url("/"), &[]).await.unwrap(), 302);
    }
    assert_eq!((inside.connections(), server.requests().len()), (0, 4));
}

#[tokio::test]
async fn an_answer_without_end_is_cut_and_a_missing_one_not_waited_for() {
    let (endless, silent) = (Outside::at(ours()).await, Outside::at(ours()).await);
    endless.answers(Reply::Endless);
    silent.answers(Reply::Silence);
    let outbound = outbound(Some("127.0.0.1"));
    let error = outbound.get_json(&endless.url("/")).await.unwrap_err();
    assert!(matches!(error, OutboundError::TooLong(_)), "{error}");
    let began = Instant::now();
    let error = outbound.get_json(&silent.url("/")).await.unwrap_err();
    assert!(matches!(error, OutboundError::Timeout), "{error}");
    assert!((9..15).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    endless.answers(Reply::Status(200));
    assert!(matches!(outbound.get_json(&endless.url("/")).await, Err(OutboundError::NotJson)));
}

#[tokio::test]
async fn the_environments_proxy_is_not_asked() {
    let proxy = Outside::at(ours()).await;
    let server = Outside::at(ours()).await;
    let child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "outbound::guard::calls_what_the_environment_names", "--ignored"])
        .env("http_proxy", proxy.url(""))
        .env("ALL_PROXY", proxy.url(""))
        .env("SUITE_CALL", server.url("/direct"))
        .output();
    let output = tokio::time::timeout(Duration::from_secs(30), child).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((proxy.connections(), server.heard(1).await.len()), (0, 1));
}

#[tokio::test]
#[ignore = "run by the test above, in a process with another environment"]
async fn calls_what_the_environment_names() {
    let Ok(url) = std::env::var("SUITE_CALL") else { return };
    assert_eq!(outbound(Some("127.0.0.1")).post_form(&url, &[]).await.unwrap(), 200);
}

/// A server certificate for 127.0.0.1, and the authority that signed it, in PEM.
fn private_authority() -> (TlsAcceptor, String) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = ca.self_signed(&ca_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key.serialize_der().try_into().unwrap())
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), pem)
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_it_is_named() {
    let (tls, pem) = private_authority();
    let server = Outside::listen(ours(), Some(tls)).await;
    let url = format!("https://{}/out", server.address);
    let error = outbound(Some("127.0.0.1")).post_form(&url, &[]).await.unwrap_err();
    assert!(matches!(error, OutboundError::Failed(_)), "{error}");
    assert_eq!(server.requests().len(), 0);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, pem).unwrap();
    let authorities = idp::outbound::authorities(&file).unwrap();
    let options = |allow: Vec<_>| Options { allow, authorities: authorities.clone() };
    assert_eq!(Outbound::new(options(vec![ours().into()])).post_form(&url, &[]).await.unwrap(), 200);
    // Trusting its certificate is not allowing its address.
    let error = Outbound::new(options(Vec::new())).post_form(&url, &[]).await.unwrap_err();
    assert!(matches!(error, OutboundError::Refused(_)), "{error}");
}
