//! kill -9 and SIGTERM: what was answered stays, what runs may finish.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use idp_softkey::SoftKey;

use crate::browser::{Browser, read};
use crate::person::{access_token, begin, client, enrolled, finish, is_signed_in, redeem, whole_sign_in};
use crate::product::{Place, Product, free_port, postgres};

/// People who sign in at once.
const PEOPLE: usize = 4;

/// What was acknowledged: the browser with its session, and the access token bought in it.
type Ledger = Arc<Mutex<Vec<(Browser, String)>>>;

/// Signs in again and again and notes each sign-in that was answered to the end, until the product is gone.
fn work(mut key: SoftKey, fresh: &Browser, secret: &str, ledger: &Ledger, stopping: &AtomicBool) -> SoftKey {
    loop {
        let mut browser = fresh.clone();
        match whole_sign_in(&mut browser, &mut key, ("web", secret)) {
            Ok(tokens) => ledger.lock().unwrap().push((browser, access_token(&tokens))),
            Err(_) if stopping.load(Relaxed) => return key,
            Err(error) => panic!("refused while the product runs: {error}"),
        }
    }
}

fn loses_no_answered_write(place: &Place) {
    let port = free_port();
    let mut product = Product::serve_with(place, port, None, &[]);
    let secret = client(place, "web");
    let mut browser = product.browser();
    let fresh = product.browser();
    let mut keys: Vec<_> = (0..PEOPLE).map(|n| enrolled(place, &mut browser, &format!("person{n}"))).collect();
    let ledger = Ledger::default();
    for round in 1..=3 {
        let stopping = AtomicBool::new(false);
        keys = std::thread::scope(|scope| {
            let begin = |key| scope.spawn(|| work(key, &fresh, &secret, &ledger, &stopping));
            let people: Vec<_> = keys.drain(..).map(begin).collect();
            while ledger.lock().unwrap().len() < round * 10 {
                std::thread::sleep(Duration::from_millis(5));
            }
            stopping.store(true, Relaxed);
            product.kill();
            people.into_iter().map(|person| person.join().unwrap()).collect()
        });
        product = Product::serve_with(place, port, None, &[]);
        for (browser, token) in ledger.lock().unwrap().iter_mut() {
            assert!(is_signed_in(browser).unwrap(), "a session that was answered is gone");
            assert_eq!(browser.get_as_bearer("/userinfo", token).unwrap().status, 200, "a grant is gone");
        }
    }
}

#[test]
fn kill_9_in_the_middle_of_sign_ins_loses_no_answered_write_on_sqlite() {
    loses_no_answered_write(&Place::serve(None));
}

#[test]
fn kill_9_in_the_middle_of_sign_ins_loses_no_answered_write_on_postgres() {
    loses_no_answered_write(&Place::serve(Some(&postgres("crash"))));
}

#[test]
fn sigterm_lets_a_running_request_finish() {
    let place = Place::serve(None);
    let mut product = Product::serve(&place);
    let secret = client(&place, "web");
    let mut browser = product.browser();
    let mut key = enrolled(&place, &mut browser, "ada");
    let request = begin(&mut browser, "web", &[]).unwrap();
    let code = finish(&mut browser, &mut key, &request).unwrap();

    let body = "x".repeat(64);
    let text = browser.request("POST", "/token", &[("content-type", "application/x-www-form-urlencoded")], &body);
    let (head, rest) = text.split_at(text.len() - 32);
    let mut stream = TcpStream::connect(("127.0.0.1", product.port)).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    product.terminate();
    std::thread::sleep(Duration::from_millis(300));
    assert!(redeem(&mut browser, ("web", &secret), &code).is_err(), "it takes no new connections");
    stream.write_all(rest.as_bytes()).unwrap();
    assert_eq!(read(&mut stream).unwrap().status, 401, "the request under way is answered");
    assert!(product.wait().success());
    assert!(product.log().contains("stopping"), "{}", product.log());
}
