//! Back-channel logout outlives kill -9: what a logout promised to a client reaches it from the next process.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::person::{client, enrolled, whole_sign_in};
use crate::product::{Place, Product, free_port, postgres};

/// Takes one request; `None`: nobody came within a minute.
fn request(listener: &TcpListener) -> Option<(TcpStream, String)> {
    listener.set_nonblocking(true).unwrap();
    for _ in 0..600 {
        if let Ok((mut stream, _)) = listener.accept() {
            stream.set_nonblocking(false).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let (mut text, mut chunk) = (String::new(), [0; 4096]);
            while !text.contains("logout_token=") {
                let count = stream.read(&mut chunk).unwrap();
                assert_ne!(count, 0, "{text}");
                text.push_str(std::str::from_utf8(&chunk[..count]).unwrap());
            }
            return Some((stream, text));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    None
}

fn reaches_the_client_from_the_next_process(place: &Place) {
    let port = free_port();
    let env = [("IDP_OUTBOUND__ALLOW", "127.0.0.1")];
    let mut product = Product::serve_with(place, port, None, &env);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}/logged-out", listener.local_addr().unwrap());
    let secret = client(place, "web");
    place.json(&["client", "set", "web", "--backchannel-logout-uri", &address]);
    let mut browser = product.browser();
    let mut key = enrolled(place, &mut browser, "ada");
    let tokens = whole_sign_in(&mut browser, &mut key, ("web", &secret)).unwrap();
    let hint = tokens["id_token"].as_str().unwrap();
    assert_eq!(browser.get(&format!("/logout?id_token_hint={hint}")).unwrap().status, 200);
    // It is on its way and not answered when the process dies.
    let (unanswered, _) = request(&listener).expect("the first process calls");
    product.kill();
    drop(unanswered);
    product = Product::serve_with(place, port, None, &env);
    let (mut stream, text) = request(&listener).expect("the next process calls");
    assert!(text.starts_with("POST /logged-out HTTP/1.1\r\n"), "{text}");
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    drop(stream);
    let delivered = || {
        let rows = place.json(&["audit", "list", "--event", "logout.delivered"]);
        rows.as_array().map_or(0, Vec::len)
    };
    for _ in 0..50 {
        if delivered() == 1 {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(delivered(), 1);
    assert!(!product.log().contains("logout_token"), "the token is in no log");
}

#[test]
fn kill_9_between_logout_and_delivery_loses_no_delivery_on_sqlite() {
    reaches_the_client_from_the_next_process(&Place::serve(None));
}

#[test]
fn kill_9_between_logout_and_delivery_loses_no_delivery_on_postgres() {
    reaches_the_client_from_the_next_process(&Place::serve(Some(&postgres("logout"))));
}
