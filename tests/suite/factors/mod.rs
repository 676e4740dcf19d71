//! Factors besides passkeys, and recovery: `/account/password`, `/account/totp`, `/account/recovery-codes`,
//! `/login/totp`, `/login/recovery`.

mod enumeration;
mod last_factor;
mod password;
mod recovery;
mod recovery_codes;
mod takeover;
mod totp;

use idp_core::account::Account;
use idp_core::credential::totp::TotpSecret;
use idp_softkey::Faults;

use crate::world::{Browser, Page, Person, World};

/// A form as a page has it, with the fields it hides.
pub async fn form(browser: &mut Browser, page: &str, action: &str, fields: &[(&str, &str)]) -> Page {
    let page = browser.get(page).await;
    browser.submit(&page, action, fields).await
}

/// A browser in which the person has just signed in with their first passkey.
pub async fn by_passkey(w: &World, person: &mut Person) -> Browser {
    let mut browser = w.browser();
    assert_eq!(browser.try_passkey(&mut person.keys[0], &Faults::default()).await.stand(), "complete");
    browser
}

/// A browser in which the person has just signed in with their password alone.
pub async fn by_password(w: &World, person: &Person) -> Browser {
    let mut browser = w.browser();
    let page = browser.try_password(&person.username, person.password.as_deref().unwrap()).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(browser.is_signed_in().await);
    browser
}

/// Sets up an authenticator app by the page; its secret, and the page that followed.
pub async fn set_up_totp(w: &World, browser: &mut Browser) -> TotpSecret {
    let page = browser.get("/account/totp").await;
    assert_eq!(page.status, 200, "{}", page.body);
    let secret = secret_of(&page);
    let code = secret.code(w.clock.now());
    let page = browser.submit(&page, "/account/totp", &[("code", &code)]).await;
    assert_eq!(page.next().as_deref(), Some("/account/security?totp=set"), "{}", page.body);
    secret
}

/// The secret that a page shows to be typed.
pub fn secret_of(page: &Page) -> TotpSecret {
    let (_, rest) = page.body.split_once("id=\"totp-secret\">").expect("a secret");
    let text = rest.split('<').next().unwrap().replace(' ', "");
    let digit = |c: char| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).expect("base32");
    let mut bits = text.chars().flat_map(|c| (0..5).rev().map(move |bit| digit(c) >> bit & 1));
    TotpSecret::new(std::array::from_fn(|_| (0..8).fold(0, |byte, _| byte << 1 | bits.next().unwrap() as u8)))
}

impl World {
    /// The person's account as it is now.
    pub async fn account_of(&self, person: &Person) -> Account {
        self.app.store.find_account(self.realm, &person.id).await.unwrap().unwrap()
    }
}
