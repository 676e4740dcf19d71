//! Samples of the pages that ask for one more factor, or for a passkey to be made.

use super::{MARKUP, NOW, Samples, ada, add, application, mallory};
use crate::views::{
    CodeForm, CodeNotice, Demands, Enrol, EnrolKind, EnrolWay, EnrolWhy, Page, SecondFactor, SecondFactorReason, Takes,
};

/// All of them.
pub fn add_all(all: &mut Samples) {
    second_factors(all);
    enrols(all);
}

/// The page in one of its states.
pub fn second_factor(reason: SecondFactorReason, voluntary: bool) -> SecondFactor {
    SecondFactor {
        csrf: "csrf".into(),
        request: Some("sealed".into()),
        application: Some(application()),
        demands: Demands::default(),
        person: ada(),
        reason,
        voluntary,
        rp_host: "northwind.example".into(),
        elsewhere: Vec::new(),
        totp_href: None,
        switch_href: "/login?request=sealed&switch=1".into(),
    }
}

fn second_factors(all: &mut Samples) {
    use SecondFactorReason::{AfterPassword, StepUp};
    add(all, "second-factor", Page::SecondFactor(second_factor(AfterPassword, false)));
    let other = SecondFactor { totp_href: Some(MARKUP.into()), ..second_factor(AfterPassword, false) };
    add(all, "second-factor-or-app", Page::SecondFactor(other));
    add(all, "step-up", Page::SecondFactor(second_factor(StepUp, true)));
    let bare = SecondFactor { request: None, application: None, person: mallory(), ..second_factor(StepUp, false) };
    add(all, "step-up-plain", Page::SecondFactor(bare));
    use Takes::{Device, DeviceOrPhone, Phone, SecurityKey, SecurityKeyOrDevice, SecurityKeyOrPhone};
    let takes = [SecurityKey, Device, Phone, SecurityKeyOrDevice, SecurityKeyOrPhone, DeviceOrPhone];
    for (number, takes) in takes.into_iter().enumerate() {
        let demands = Demands { takes: Some(takes), device_bound: takes == SecurityKey, ..Demands::default() };
        let page = SecondFactor { demands, ..second_factor(StepUp, false) };
        add(all, &format!("step-up-demands-{number}"), Page::SecondFactor(page));
    }
}

fn enrols(all: &mut Samples) {
    let kinds = || vec![EnrolKind::SecurityKey, EnrolKind::ThisDevice, EnrolKind::Phone];
    let enrol = |reason, voluntary, way| Enrol {
        csrf: "csrf".into(),
        request: Some("sealed".into()),
        application: Some(application()),
        demanded: reason == EnrolWhy::Demanded,
        demands: Demands::default(),
        person: ada(),
        reason,
        voluntary,
        due: voluntary.then_some(NOW),
        way,
        code: None,
        kinds: kinds(),
        rp_host: "northwind.example".into(),
        switch_href: "/login?request=sealed&switch=1".into(),
    };
    add(all, "enrol-nudge", Page::Enrol(enrol(EnrolWhy::Nudge, true, EnrolWay::Here)));
    add(all, "enrol-required", Page::Enrol(enrol(EnrolWhy::Required, false, EnrolWay::Here)));
    add(all, "enrol-grace", Page::Enrol(enrol(EnrolWhy::Required, true, EnrolWay::ByLink)));
    let key_only = vec![EnrolKind::SecurityKey];
    let demands = Demands { takes: Some(Takes::SecurityKey), device_bound: true, attested: true, models: true };
    let demanded = Enrol { kinds: key_only, demands, ..enrol(EnrolWhy::Demanded, false, EnrolWay::Here) };
    add(all, "enrol-demanded", Page::Enrol(demanded));
    let bare = Enrol {
        request: None,
        application: None,
        person: mallory(),
        ..enrol(EnrolWhy::Demanded, false, EnrolWay::ByLink)
    };
    add(all, "enrol-by-link", Page::Enrol(bare));
    for (state, sent, notice) in [
        ("enrol-code", false, None),
        ("enrol-code-sent", true, None),
        ("enrol-code-wrong", true, Some(CodeNotice::Wrong)),
        ("enrol-code-throttled", true, Some(CodeNotice::Throttled { minutes: 2 })),
    ] {
        let code = Some(CodeForm { address: "a…@northwind.example".into(), sent, notice });
        let voluntary = notice.is_none();
        let reason = if voluntary { EnrolWhy::Nudge } else { EnrolWhy::Required };
        add(all, state, Page::Enrol(Enrol { code, ..enrol(reason, voluntary, EnrolWay::ByCode) }));
    }
    add(all, "enrol-moved", Page::Enrol(enrol(EnrolWhy::Moved, true, EnrolWay::Here)));
}
