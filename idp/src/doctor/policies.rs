//! Checks of the passkey policies, the realm's and those of its groups, and of the metadata they rest on.

use std::iter::once;

use idp_core::passkey::policy::{Mode, Policy};
use idp_core::realm::Realm;
use idp_store::mds::Slot;

use super::Finding;
use super::facts::Facts;
use super::needs::{answer, found, inside, outside, realm_of};

/// Each policy with whose it is, and what changes it.
fn policies(realm: &Realm) -> impl Iterator<Item = (String, String, &Policy)> {
    let own = ("the policy".to_owned(), "idp policy set".to_owned(), &*realm.policy);
    let groups = realm.group_policies.iter().map(|of| {
        (format!("the policy of the group {}", of.group), format!("idp policy set --group {}", of.group), &*of.policy)
    });
    once(own).chain(groups)
}

pub(super) fn shown(facts: &Facts) -> Finding {
    if let Some(realm) = facts.realm() {
        let hides = |policy: &Policy| {
            let hidden = [
                (!policy.enabled, "enabled=true"),
                (!policy.allow_login, "allow_login=true"),
                (policy.mode == Mode::PasswordThenPasskey, "mode=passkey_first"),
            ];
            hidden.into_iter().find_map(|(hides, value)| hides.then_some(value))
        };
        // The page is shown before anybody is known: the realm's policy decides.
        return hides(&realm.policy).map_or_else(
            || Finding::ok("by the policy"),
            |value| {
                let field = value.split_once('=').map_or(value, |(field, _)| field);
                let text = format!("the policy's `{field}` takes them off the sign-in page");
                Finding::warn(text, format!("if that is not wanted: idp policy set {value}"))
            },
        );
    }
    let judge = || {
        let page = answer(&outside(facts)?.login)?;
        Ok(if page.body.contains("id=\"passkey-login\"") {
            Finding::ok("there is a button for it")
        } else {
            Finding::warn("there is no button for it", "look at the policy: idp doctor --config FILE, idp policy show")
        })
    };
    found(judge())
}

pub(super) fn registration(facts: &Facts) -> Finding {
    found(realm_of(facts).map(|realm| {
        let off = policies(realm).find_map(|(whose, set, policy)| {
            let on = [(policy.enabled, "enabled"), (policy.allow_registration, "allow_registration")];
            let (_, field) = on.into_iter().find(|(on, _)| !on)?;
            let text = format!("`{field}` is false in {whose}: nobody under it can make one");
            Some(Finding::warn(text, format!("if that is not wanted: {set} {field}=true")))
        });
        off.unwrap_or_else(|| Finding::ok("yes"))
    }))
}

pub(super) fn satisfiable(facts: &Facts) -> Finding {
    found(realm_of(facts).map(|realm| {
        let unmet = policies(realm).find_map(|(whose, set, policy)| {
            let problems: Vec<_> = policy.check().iter().map(ToString::to_string).collect();
            let text = || format!("{whose}: {}", problems.join("; "));
            let advice = || format!("{set} FIELD=VALUE, which refuses what nobody can satisfy");
            (!problems.is_empty()).then(|| Finding::fail(text(), advice()))
        });
        unmet.unwrap_or_else(|| Finding::ok("yes"))
    }))
}

pub(super) fn metadata(facts: &Facts) -> Finding {
    let judge = || {
        let realm = realm_of(facts)?;
        let blobs = &inside(facts)?.metadata;
        let of = |slot| blobs.iter().find(move |blob| blob.slot == slot);
        let needing = policies(realm).find(|(.., policy)| policy.rests_on_metadata());
        if let Some(held) = of(Slot::Held) {
            let why = held.held_because.as_deref().unwrap_or_default();
            let text = format!("number {} waits: {why}", held.number);
            return Ok(Finding::warn(text, "look at it (idp mds show), then let it act: idp mds release"));
        }
        Ok(match (of(Slot::Current), needing) {
            (None, None) => Finding::skip("there are none, and no policy asks for them"),
            (None, Some((whose, ..))) => Finding::fail(
                format!("{whose} rests on them, and there are none: its passkeys are refused"),
                "set `mds.source` and run idp mds refresh, or idp mds import FILE",
            ),
            (Some(blob), _) if blob.next_update < facts.now => Finding::warn(
                format!("number {} was to be followed by a newer one: what is known of models is old", blob.number),
                "idp mds refresh says what is in the way",
            ),
            (Some(blob), _) => Finding::ok(format!("number {}", blob.number)),
        })
    };
    found(judge())
}
