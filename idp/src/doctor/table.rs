//! The table of checks, in the order in which faults follow from each other.
//!
//! OIDC Discovery §4.3 (issuer), WebAuthn L3 §5.1.2 (RP ID), §5.10 (permissions policy), §5.11 (related origins).

use idp_core::passkey::policy::Mode;
use idp_core::realm::Realm;
use serde_json::Value;
use url::{Host, Url};

use super::facts::{Facts, Inside, NoDatabase, Outside, STRANGER, is_under, needs_file};
use super::{Check, Finding, State};
use crate::outbound::probe::{Answer, Dates, Judgement};
use crate::views::times;

/// A certificate that ends so soon is worth a warning, in seconds.
const SOON_S: i64 = 14 * 24 * 3600;
/// Clocks may differ so much without anybody noticing, in seconds; `Date` counts whole ones.
const SKEW_OK_S: i64 = 5;
/// Tokens and proofs are refused when clocks differ more, in seconds.
const SKEW_FAIL_S: i64 = 60;

const fn check(id: &'static str, about: &'static str, judge: fn(&Facts) -> Finding) -> Check {
    Check { id, about, judge }
}

/// Every check.
pub const CHECKS: &[Check] = &[
    check("settings.readable", "the settings can be read and nothing in them is doubtful", settings),
    check("database.reachable", "the database answers", database),
    check("database.migrated", "its schema is the one of this version", migrated),
    check("realm.present", "the realm is there and is what the settings say", realm),
    check("realm.keys", "an active key for each algorithm, and it can be unsealed", keys),
    check("realm.owner", "somebody may administer", owner),
    check("mail.transport", "mails can be sent", mail),
    check("issuer.https", "https, or localhost", https),
    check("issuer.name", "a DNS name, not an address", name),
    check("web.reachable", "the issuer's address answers", reachable),
    check("tls.trusted", "its certificate is signed by an authority of the system or a named one", trusted),
    check("tls.name", "its certificate is made for the host", certificate_name),
    check("tls.dates", "its certificate is good now and for two weeks more", dates),
    check("web.issuer", "discovery says the issuer, byte for byte", issuer),
    check("web.forwarded", "forwarding headers of strangers change nothing", forwarded),
    check("web.clock", "the server's clock is right", clock),
    check("web.hosts", "every host of the realm answers, those of old RP IDs too", hosts),
    check("rp_id.host", "each RP ID is its hosts or a parent of them", rp_id),
    check("rp_id.related", "origins beyond the RP ID are listed where browsers look", related),
    check("rp_id.passkeys", "no passkey was made for an RP ID that is gone", orphans),
    check("policy.shown", "the sign-in page offers passkeys", shown),
    check("policy.registration", "new passkeys can be made", registration),
    check("policy.satisfiable", "somebody can satisfy the policy", satisfiable),
    check("login.permissions", "no permissions policy forbids passkeys on the sign-in page", permissions),
];

/// What a check needs, or why it is left out.
fn inside(facts: &Facts) -> Result<&Inside, Finding> {
    match &facts.database {
        Some(Ok(inside)) => Ok(inside),
        Some(Err(_)) => Err(Finding::skip("the database is to be mended first")),
        None => Err(Finding::skip("no database was named: --config FILE or --data DIR")),
    }
}

fn realm_of(facts: &Facts) -> Result<&Realm, Finding> {
    inside(facts)?.realm.as_ref().ok_or_else(|| Finding::skip("the realm is to be made first"))
}

fn outside(facts: &Facts) -> Result<&Outside, Finding> {
    facts.outside.as_ref().ok_or_else(|| Finding::skip("no address is known: --url URL"))
}

fn answer(answer: &Result<Answer, String>) -> Result<&Answer, Finding> {
    answer.as_ref().map_err(|_| Finding::skip("there was no answer"))
}

/// A check whose needs are met, or whose reason to be left out is the finding.
fn found(finding: Result<Finding, Finding>) -> Finding {
    finding.unwrap_or_else(|skipped| skipped)
}

fn settings(facts: &Facts) -> Finding {
    match &facts.settings {
        None => Finding::skip("no settings were named: --config FILE"),
        Some(Err(problems)) => Finding::fail(problems.to_string(), "write what stands below each of them"),
        Some(Ok(settings)) => match settings.warnings.as_slice() {
            [] => Finding::ok("nothing is wrong or doubtful"),
            [first, ..] => Finding::warn(first.what.clone(), first.instead.clone()),
        },
    }
}

fn database(facts: &Facts) -> Finding {
    match &facts.database {
        None => Finding::skip("no database was named: --config FILE or --data DIR"),
        Some(Err(NoDatabase::Unreachable(why))) => {
            Finding::fail(why.clone(), "check `database.url`, and whether this machine may reach and read it")
        }
        Some(_) => Finding::ok("it answers"),
    }
}

fn migrated(facts: &Facts) -> Finding {
    match &facts.database {
        Some(Err(NoDatabase::Schema(why))) => {
            Finding::fail(why.clone(), "older than this program: idp migrate --config FILE; newer: update the program")
        }
        _ => found(inside(facts).map(|_| Finding::ok("up to date"))),
    }
}

fn realm(facts: &Facts) -> Finding {
    found(inside(facts).map(|inside| {
        let Some(realm) = &inside.realm else {
            return Finding::fail("the database has no such realm yet", "start idp serve once, or check --realm");
        };
        let set = facts.settings.as_ref().and_then(|settings| settings.as_ref().ok()).map(|settings| &settings.realm);
        let same = set.is_none_or(|set| {
            set.name != realm.name || (set.issuer == realm.issuer && set.relying_parties == realm.relying_parties)
        });
        if same {
            return Finding::ok(format!("{} is {}", realm.name, realm.issuer));
        }
        let text = format!("the database says {}, and hosts or issuer of the settings differ", realm.issuer);
        Finding::fail(text, format!("to change it on purpose: idp realm update {} --config FILE", realm.name))
    }))
}

fn keys(facts: &Facts) -> Finding {
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

fn owner(facts: &Facts) -> Finding {
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

fn mail(facts: &Facts) -> Finding {
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

fn https(facts: &Facts) -> Finding {
    found(address(facts).map(|url| match url.scheme() {
        "https" => Finding::ok("https"),
        _ if is_localhost(&url) => Finding::ok("http on localhost, which browsers take for secure"),
        _ => Finding::fail(
            format!("{} is plain http, where browsers have no passkeys", url.origin().ascii_serialization()),
            "put a certificate in front (`server.tls_cert`, or a reverse proxy) and write https in `realm.issuer`",
        ),
    }))
}

fn name(facts: &Facts) -> Finding {
    found(address(facts).map(|url| match url.host() {
        Some(Host::Domain(name)) => Finding::ok(name.to_owned()),
        _ => Finding::fail(
            format!("{} is an address, to which no passkey can be bound", url.host_str().unwrap_or_default()),
            "give the service a DNS name and write it in `realm.issuer`",
        ),
    }))
}

fn reachable(facts: &Facts) -> Finding {
    found(outside(facts).map(|outside| match &outside.discovery {
        Err(why) => {
            let advice = "check DNS, firewall and reverse proxy, and that idp serve runs; from elsewhere: --url URL";
            Finding::fail(format!("{}: {why}", outside.url.origin().ascii_serialization()), advice)
        }
        Ok(answer) if answer.status == 200 => Finding::ok(outside.url.origin().ascii_serialization()),
        Ok(answer) => Finding::fail(
            format!("discovery has status {}", answer.status),
            "the reverse proxy must pass the browser's `Host` on unchanged, and every path",
        ),
    }))
}

fn judged(facts: &Facts) -> Result<&Judgement, Finding> {
    match &outside(facts)?.certificate {
        None => Err(Finding::skip("plain http")),
        Some(Err(why)) => Err(Finding::skip(format!("no certificate was seen: {why}"))),
        Some(Ok(judgement)) => Ok(judgement),
    }
}

fn trusted(facts: &Facts) -> Finding {
    found(judged(facts).map(|judgement| match &judgement.trusted {
        Ok(()) => Finding::ok("signed by somebody trusted"),
        Err(why) => Finding::fail(
            why.clone(),
            "send the intermediate certificates too; an authority of your own must be installed on every device, \
             and be named here with --ca FILE or `outbound.ca_file`",
        ),
    }))
}

fn certificate_name(facts: &Facts) -> Finding {
    let judge = || {
        let host = outside(facts)?.url.host_str().unwrap_or_default();
        Ok(match &judged(facts)?.named {
            Ok(()) => Finding::ok(host),
            Err(names) if names.is_empty() => {
                Finding::fail("it names no host", format!("have one made with {host} as subject alternative name"))
            }
            Err(names) => Finding::fail(
                format!("it is made for {}, not for {host}", names.join(", ")),
                format!("have one made with {host} as subject alternative name, or use the name it has"),
            ),
        })
    };
    found(judge())
}

fn dates(facts: &Facts) -> Finding {
    let day = |at: idp_core::time::Timestamp| times::iso(at.ms());
    let renew = "renew it, and let its renewal run by itself; with `server.tls_cert`, restart idp serve after it";
    found(judged(facts).map(|judgement| match judgement.dates {
        Dates::Until(end) if end.ms_since(facts.now) < SOON_S * 1000 => {
            Finding::warn(format!("it ends {}", day(end)), renew)
        }
        Dates::Until(end) => Finding::ok(format!("until {}", day(end))),
        Dates::Ended(end) => Finding::fail(format!("it ended {}", day(end)), renew),
        Dates::NotBefore(begin) => {
            Finding::fail(format!("it begins {}", day(begin)), "check this machine's clock, or wait")
        }
        Dates::Unreadable => Finding::fail("its dates cannot be read", renew),
    }))
}

/// A member of the discovery document.
fn metadata(answer: &Answer, member: &str) -> Option<String> {
    let document: Value = serde_json::from_str(&answer.body).ok()?;
    document.get(member)?.as_str().map(str::to_owned)
}

fn issuer(facts: &Facts) -> Finding {
    let judge = || {
        let outside = outside(facts)?;
        let expected = facts.issuer().map_or_else(|| outside.url.origin().ascii_serialization(), str::to_owned);
        Ok(match metadata(answer(&outside.discovery)?, "issuer") {
            Some(said) if said == expected => Finding::ok(said),
            Some(said) => Finding::fail(
                format!("it says {said}, not {expected}"),
                "clients compare it byte for byte: give them and `realm.issuer` the one address that people use",
            ),
            None => Finding::fail(
                "the answer is no discovery document",
                "something else answers there: check the reverse proxy's routes and the `Host` it passes on",
            ),
        })
    };
    found(judge())
}

fn forwarded(facts: &Facts) -> Finding {
    let judge = || {
        let outside = outside(facts)?;
        let honest = answer(&outside.discovery)?;
        Ok(match answer(&outside.forwarded)? {
            forged if forged.body.contains(STRANGER) => Finding::fail(
                "a stranger's `X-Forwarded-Host` gets into the addresses of the answer",
                "let the reverse proxy overwrite `X-Forwarded-*` and `Forwarded`, and pass on the browser's `Host`",
            ),
            forged if (forged.status, &forged.body) != (honest.status, &honest.body) => Finding::warn(
                "the answer changes with forwarding headers that anybody can send",
                "let the reverse proxy overwrite `X-Forwarded-*` and `Forwarded`",
            ),
            _ => Finding::ok("ignored"),
        })
    };
    found(judge())
}

fn clock(facts: &Facts) -> Finding {
    let judge = || {
        let date = answer(&outside(facts)?.discovery)?.date;
        let date = date.ok_or_else(|| Finding::skip("the answer has no `Date`"))?;
        let off_s = (date.ms_since(facts.now) / 1000).abs();
        let text = format!("it differs from this machine's by {off_s} s");
        let advice = "let both be set by NTP: tokens carry times, and clients believe none from tomorrow";
        Ok(match off_s {
            ..=SKEW_OK_S => Finding::ok(text),
            ..=SKEW_FAIL_S => Finding::warn(text, advice),
            _ => Finding::fail(text, advice),
        })
    };
    found(judge())
}

fn hosts(facts: &Facts) -> Finding {
    let judge = || {
        let realm = realm_of(facts)?;
        let hosts = &outside(facts)?.hosts;
        let silent = hosts.iter().filter_map(|(host, answer)| match answer {
            Err(why) => Some(format!("{host}: {why}")),
            Ok(answer) if metadata(answer, "issuer").as_deref() != Some(realm.issuer.as_str()) => {
                Some(format!("{host}: status {}, another issuer or none", answer.status))
            }
            Ok(_) => None,
        });
        let silent: Vec<_> = silent.collect();
        Ok(match (hosts.len(), silent.is_empty()) {
            (0, _) => Finding::ok("the issuer's is the only one"),
            (n, true) => Finding::ok(format!("{n} besides the issuer's")),
            (_, false) => Finding::fail(
                silent.join("; "),
                "passkeys made there work there alone: keep DNS, certificate and proxy of the old host until all moved",
            ),
        })
    };
    found(judge())
}

fn rp_id(facts: &Facts) -> Finding {
    let without_port = |host: &str| host.rsplit_once(':').map_or(host, |(name, _)| name).to_owned();
    found(realm_of(facts).map(|realm| {
        let mut parents = Vec::new();
        for party in &realm.relying_parties {
            let id = &party.rp_id;
            for host in party.hosts.iter().map(|host| without_port(host)) {
                if !matches!(Host::parse(id), Ok(Host::Domain(_))) || !is_under(&host, id) {
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

fn related(facts: &Facts) -> Finding {
    let judge = || {
        let realm = realm_of(facts)?;
        let files = &outside(facts)?.related;
        for (rp_id, file) in files {
            let listed: Option<Value> = file.as_ref().ok().and_then(|answer| serde_json::from_str(&answer.body).ok());
            let listed = listed.and_then(|value| value.get("origins")?.as_array().cloned()).unwrap_or_default();
            let party = realm.relying_parties.iter().find(|party| party.rp_id == *rp_id);
            let needed = party.into_iter().flat_map(|party| &party.origins).filter(|o| needs_file(o, rp_id));
            let missing: Vec<_> = needed.filter(|o| !listed.iter().any(|l| l.as_str() == Some(o))).cloned().collect();
            if !missing.is_empty() {
                return Ok(Finding::fail(
                    format!("https://{rp_id}/.well-known/webauthn does not list {}", missing.join(", ")),
                    "let that host answer with this product's file, or with one that lists them as `origins`",
                ));
            }
        }
        Ok(if files.is_empty() {
            Finding::ok("no origin lies beyond its RP ID")
        } else {
            Finding::ok(format!("{} listed", files.len()))
        })
    };
    found(judge())
}

fn orphans(facts: &Facts) -> Finding {
    let judge = || {
        let realm = realm_of(facts)?;
        let served = |id: &str| realm.relying_parties.iter().any(|party| party.rp_id == id);
        let gone = inside(facts)?.passkeys.iter().filter(|(id, count)| *count > 0 && !served(id));
        let gone: Vec<_> = gone.map(|(id, count)| format!("{count} for {id}")).collect();
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

fn shown(facts: &Facts) -> Finding {
    if let Some(realm) = facts.realm() {
        let policy = &realm.policy;
        let hidden = [
            (!policy.enabled, "enabled", "true"),
            (!policy.allow_login, "allow_login", "true"),
            (policy.mode == Mode::PasswordThenPasskey, "mode", "passkey_first"),
        ];
        let by = hidden.iter().find(|(hides, ..)| *hides);
        return by.map_or_else(
            || Finding::ok("by the policy"),
            |(_, field, value)| {
                let text = format!("the policy's `{field}` takes them off the sign-in page");
                Finding::warn(text, format!("if that is not wanted: idp policy set {field}={value}"))
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

fn registration(facts: &Facts) -> Finding {
    found(realm_of(facts).map(|realm| {
        let off = [(realm.policy.enabled, "enabled"), (realm.policy.allow_registration, "allow_registration")];
        match off.iter().find(|(on, _)| !on) {
            None => Finding::ok("yes"),
            Some((_, field)) => Finding::warn(
                format!("the policy's `{field}` is false: nobody can make one"),
                format!("if that is not wanted: idp policy set {field}=true"),
            ),
        }
    }))
}

fn satisfiable(facts: &Facts) -> Finding {
    found(realm_of(facts).map(|realm| {
        let problems: Vec<_> = realm.policy.check().iter().map(ToString::to_string).collect();
        if problems.is_empty() {
            Finding::ok("yes")
        } else {
            Finding::fail(problems.join("; "), "idp policy set FIELD=VALUE, which refuses what nobody can satisfy")
        }
    }))
}

fn permissions(facts: &Facts) -> Finding {
    let judge = || {
        let page = answer(&outside(facts)?.login)?;
        let policy = page.permissions_policy.as_deref().unwrap_or_default().replace(' ', "");
        let closed = |feature: &str| policy.split(',').any(|rule| rule == format!("{feature}=()"));
        let features = ["publickey-credentials-get", "publickey-credentials-create"];
        let closed: Vec<_> = features.into_iter().filter(|feature| closed(feature)).collect();
        Ok(if closed.is_empty() {
            Finding { state: State::Ok, found: "none".to_owned(), advice: String::new() }
        } else {
            let text = format!("the header `Permissions-Policy` forbids {}", closed.join(" and "));
            Finding::fail(text, "take it out of the reverse proxy's headers, or write (self) instead of ()")
        })
    };
    found(judge())
}
