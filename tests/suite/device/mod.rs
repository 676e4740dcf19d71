//! `/device_authorization`, `/device` and polling: a device without a browser gets tokens, and nobody else. RFC 8628.

mod answers;
mod codes;
mod polls;
mod revoked;
mod start;

use idp_core::client::{ClientSettings, ConsentMode, GrantType};
use serde_json::Value;

use crate::world::{Browser, Page, Person, Rp, World};

/// What a device got to begin with.
pub struct Device {
    pub rp: Rp,
    pub code: String,
    pub user_code: String,
    pub begun: Value,
}

impl World {
    /// A public client of televisions; people are asked.
    pub async fn tv(&self, id: &str) -> Rp {
        self.tv_with(id, |_| {}).await
    }

    pub async fn tv_with(&self, id: &str, change: impl FnOnce(&mut ClientSettings)) -> Rp {
        self.rp_with(id, |s| {
            s.redirect_uris = Vec::new();
            s.grant_types = vec![GrantType::DeviceCode, GrantType::RefreshToken];
            s.consent = ConsentMode::Ask;
            change(s);
        })
        .await
    }

    /// Begins on the device.
    pub async fn begin_device(&self, rp: &Rp) -> Device {
        let page = rp.begin(self, &[("scope", "openid email")]).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let begun = page.value();
        let text = |name: &str| begun[name].as_str().unwrap().to_owned();
        Device { rp: rp.clone(), code: text("device_code"), user_code: text("user_code"), begun }
    }

    /// A device that was allowed.
    pub async fn allowed_device(&self, rp: &Rp, browser: &mut Browser, person: &mut Person) -> Device {
        let device = self.begin_device(rp).await;
        let page = browser.allow(person, &device).await;
        assert!(page.status == 200 && page.body.contains("Your device is connected"), "{}", page.body);
        device
    }
}

impl Rp {
    /// `POST /device_authorization`.
    pub async fn begin(&self, world: &World, params: &[(&str, &str)]) -> Page {
        self.post(world, "/device_authorization", params).await
    }

    /// One poll with a device code.
    pub async fn poll(&self, world: &World, code: &str) -> Page {
        self.token(world, &[("grant_type", GrantType::DeviceCode.text()), ("device_code", code)]).await
    }
}

impl Device {
    pub async fn poll(&self, world: &World) -> Page {
        self.rp.poll(world, &self.code).await
    }
}

impl Browser {
    /// Types a code; the page that follows, redirects followed.
    pub async fn enter(&mut self, code: &str) -> Page {
        let page = self.try_code(code).await;
        self.follow(page).await
    }

    /// Types a code; the first answer, not followed.
    pub async fn try_code(&mut self, code: &str) -> Page {
        let page = self.get("/device").await;
        self.submit(&page, "/device", &[("user_code", code)]).await
    }

    /// Types a code and signs in with the person's passkey; the page that asks.
    pub async fn approach(&mut self, person: &mut Person, code: &str) -> Page {
        let page = self.enter(code).await;
        let sealed = page.sealed().unwrap_or_else(|| panic!("the request is on the page: {}", page.body));
        let next = self.sign_in_with_passkey(person, Some(&sealed)).await;
        let page = self.open(&next).await;
        assert!(page.has("device-allow"), "{}", page.body);
        page
    }

    /// Types a device's code, signs in and says yes.
    pub async fn allow(&mut self, person: &mut Person, device: &Device) -> Page {
        let page = self.approach(person, &device.user_code).await;
        self.submit(&page, "/device/confirm", &[("decision", "allow")]).await
    }
}
