//! Samples of the pages of a realm with several RP IDs.

use super::super::{Away, Elsewhere, LoginStep, Page, SecondFactor, SecondFactorReason};
use super::factors::second_factor;
use super::{MARKUP, Samples, add, application, hostile, login};

fn former() -> Vec<Elsewhere> {
    vec![Elsewhere { rp_host: "northwind.test".into(), href: "https://northwind.test/login/away?errand=sealed".into() }]
}

pub fn samples(all: &mut Samples) {
    for (name, step) in [("login-moved", LoginStep::Identify), ("login-moved-password", LoginStep::Prove)] {
        let page = super::super::Login { elsewhere: former(), ..login(step, "ada") };
        add(all, name, Page::Login(page));
    }
    let second = SecondFactor { elsewhere: former(), ..second_factor(SecondFactorReason::AfterPassword, false) };
    add(all, "second-factor-moved", Page::SecondFactor(second));

    let away = || Away {
        request: Some("sealed".into()),
        errand: "sealed".into(),
        application: Some(application()),
        rp_host: "northwind.test".into(),
        home_host: "northwind.example".into(),
        back_href: "https://northwind.example/login?request=sealed".into(),
    };
    add(all, "away", Page::Away(away()));
    add(all, "away-plain", Page::Away(Away { request: None, application: None, ..away() }));
    let markup = Away { application: Some(hostile()), errand: MARKUP.into(), back_href: MARKUP.into(), ..away() };
    add(all, "away-markup", Page::Away(markup));
}
