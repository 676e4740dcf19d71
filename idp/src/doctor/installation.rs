//! Checks of settings, database and realm.
//!
//! WebAuthn L3 §5.1.2 (RP ID).

use idp_core::realm::relying_party::{is_under, without_port};
use url::{Host, Url};

use super::Finding;
use super::facts::{Facts, NoDatabase, needs_file};
use super::needs::{found, inside, outside, realm_of};

pub(super) fn settings(facts: &Facts) -> Finding {
    match &facts.settings {
        None => Finding::skip("no settings were named: --config FILE"),
        Some(Err(problems)) => Finding::fail(problems.to_string(), "write what stands below each of them"),
        Some(Ok(settings)) => match settings.warnings.as_slice() {
            [] => Finding::ok("nothing is wrong or doubtful"),
            [first, ..] => Finding::warn(first.what.clone(), first.instead.clone()),
        },
    }
}

pub(super) fn database(facts: &Facts) -> Finding {
    match &facts.database {
        None => Finding::skip("no database was named: --config FILE or --data DIR"),
        Some(Err(NoDatabase::Unreachable(why))) => {
            Finding::fail(why.clone(), "check `database.url`, and whether this machine may reach and read it")
        }
        Some(_) => Finding::ok("it answers"),
    }
}

pub(super) fn migrated(facts: &Facts) -> Finding {
    match &facts.database {
        Some(Err(NoDatabase::Schema(why))) => {
            Finding::fail(why.clone(), "older than this program: idp migrate --config FILE; newer: update the program")
        }
        _ => found(inside(facts).map(|_| Finding::ok("up to date"))),
    }
}

pub(super) fn realm(facts: &Facts) -> Finding {
    found(inside(facts).map(|inside| {
        let Some(realm) = &inside.realm else {
            return Finding::fail("the database has no such realm yet", "start idp serve once, or check --realm");
        };
        let set = facts.settings.as_ref().and_then(|settings| settings.as_ref().ok()).map(|settings| &settings.realm);
        let same = set.is_none_or(|set| {
            set.name != realm.name
                || (set.issuer == realm.issuer
                    && set.relying_parties.as_ref().is_none_or(|set| *set == realm.relying_parties))
        });
        if same {
            return Finding::ok(format!("{} is {}", realm.name, realm.issuer));
        }
        let text = format!("the database says {}, and hosts or issuer of the settings differ", realm.issuer);
        Finding::fail(text, format!("to change it on purpose: idp realm update {} --config FILE", realm.name))
    }))
}

pub(super) fn keys(facts: &Facts) -> Finding {
    let judge = || {
        realm_of(facts)?;
        Ok(match &inside(facts)?.keys_missing {
            Err(why) => Finding::fail(why.clone(), "set the encryption key that this database was used with"),
            Ok(missing) if missing.is_empty() => Finding::ok("every algorithm has one"),
            Ok(missing) => {
                let text = format!("none is active for {}", missing.join(", "));
                Finding::fail(text, "start idp serve once, which makes what is missing, or idp key rotate")
            }
        })
    };
    found(judge())
}

pub(super) fn owner(facts: &Facts) -> Finding {
    let judge = || {
        realm_of(facts)?;
        Ok(match inside(facts)?.owners {
            0 => Finding::warn("the realm has no owner", "idp user create NAME --owner, which prints a set-up link"),
            1 => Finding::ok("one"),
            n => Finding::ok(format!("{n} of them")),
        })
    };
    found(judge())
}

pub(super) fn one_device(facts: &Facts) -> Finding {
    let judge = || {
        realm_of(facts)?;
        Ok(match inside(facts)?.one_device {
            0 => Finding::ok("nobody"),
            n => Finding::warn(
                format!("{n} {}: whoever loses that device is locked out", if n == 1 { "person" } else { "people" }),
                "ask them to add a second passkey or to make recovery codes on /account/security; who is locked out \
                 needs idp access-pass create",
            ),
        })
    };
    found(judge())
}

pub(super) fn mail(facts: &Facts) -> Finding {
    match (&facts.settings, &facts.mail) {
        (Some(Ok(_)), None) => Finding::warn(
            "no mails are sent: nobody is told when a passkey is added or removed",
            "set `mail.smtp_host` and `mail.from` in the settings",
        ),
        (Some(Ok(_)), Some(Ok(()))) => Finding::ok("the way is open; nothing was sent"),
        (Some(Ok(_)), Some(Err(why))) => {
            Finding::fail(why.clone(), "check server, port, `mail.smtp_tls`, user name and password, or the folder")
        }
        _ => Finding::skip("no settings say"),
    }
}

/// The address that is judged: the issuer that is set, else the one that was named.
fn address(facts: &Facts) -> Result<Url, Finding> {
    let set = facts.issuer().and_then(|issuer| Url::parse(issuer).ok());
    set.map_or_else(|| outside(facts).map(|outside| outside.url.clone()), Ok)
}

fn is_localhost(url: &Url) -> bool {
    url.host_str().is_some_and(|host| is_under(host, "localhost"))
}

pub(super) fn https(facts: &Facts) -> Finding {
    found(address(facts).map(|url| match url.scheme() {
        "https" => Finding::ok("https"),
        _ if is_localhost(&url) => Finding::ok("http on localhost, which browsers take for secure"),
        _ => Finding::fail(
            format!("{} is plain http, where browsers have no passkeys", url.origin().ascii_serialization()),
            "put a certificate in front (`server.tls_cert`, or a reverse proxy) and write https in `realm.issuer`",
        ),
    }))
}

pub(super) fn name(facts: &Facts) -> Finding {
    found(address(facts).map(|url| match url.host() {
        Some(Host::Domain(name)) => Finding::ok(name.to_owned()),
        _ => Finding::fail(
            format!("{} is an address, to which no passkey can be bound", url.host_str().unwrap_or_default()),
            "give the service a DNS name and write it in `realm.issuer`",
        ),
    }))
}

pub(super) fn rp_id(facts: &Facts) -> Finding {
    found(realm_of(facts).map(|realm| {
        let mut parents = Vec::new();
        for party in &realm.relying_parties {
            let id = &party.rp_id;
            for host in party.hosts.iter().map(|host| without_port(host)) {
                // A related origin may use an RP ID it is not under; whether browsers find the list is another check.
                let related = party.related_origins.iter().any(|origin| !needs_file(origin, host));
                if !matches!(Host::parse(id), Ok(Host::Domain(_))) || !(is_under(host, id) || related) {
                    let text =
                        format!("{id} is neither {host} nor a parent of it: browsers refuse every ceremony there");
                    return Finding::fail(text, "write the host or a parent as `rp_id` in `realm.relying_parties`");
                }
                if host != *id && !parents.contains(id) {
                    parents.push(id.clone());
                }
            }
        }
        if parents.is_empty() {
            let ids: Vec<_> = realm.relying_parties.iter().map(|party| party.rp_id.as_str()).collect();
            return Finding::ok(ids.join(", "));
        }
        let parents = parents.join(", ");
        let text = format!("{parents} is a parent domain: every host under it can ask for these passkeys");
        Finding::warn(text, "keep it only if all hosts under it are yours")
    }))
}

pub(super) fn orphans(facts: &Facts) -> Finding {
    let judge = || {
        let realm = realm_of(facts)?;
        let served = |id: &str| realm.relying_parties.iter().any(|party| party.rp_id == id);
        let gone = inside(facts)?.passkeys.iter().filter(|of| !served(&of.rp_id));
        let gone: Vec<_> = gone.map(|of| format!("{} for {}", of.passkeys, of.rp_id)).collect();
        Ok(if gone.is_empty() {
            Finding::ok("none")
        } else {
            let advice = "add the old RP ID with its host to `realm.relying_parties`, so that people can move by \
                          themselves; else each needs an access pass";
            Finding::warn(format!("they work nowhere: {}", gone.join(", ")), advice)
        })
    };
    found(judge())
}
