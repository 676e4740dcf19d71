//! Checks of what browsers and clients see: certificate, discovery, hosts, headers.
//!
//! OIDC Discovery §4.3 (issuer), RFC 9525 (certificates), WebAuthn L3 §5.10 (permissions policy), §5.11 (related origins).

use serde_json::Value;

use super::Finding;
use super::facts::{Facts, STRANGER, needs_file};
use super::needs::{answer, found, outside, realm_of};
use crate::outbound::probe::{Answer, Dates, Judgement};
use crate::views::times;

/// A certificate that ends so soon is worth a warning, in seconds.
const SOON_S: i64 = 14 * 24 * 3600;

/// Clocks may differ so much without anybody noticing, in seconds; `Date` counts whole ones.
const SKEW_OK_S: i64 = 5;

/// Tokens and proofs are refused when clocks differ more, in seconds.
const SKEW_FAIL_S: i64 = 60;

pub(super) fn reachable(facts: &Facts) -> Finding {
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

pub(super) fn trusted(facts: &Facts) -> Finding {
    found(judged(facts).map(|judgement| match &judgement.trusted {
        Ok(()) => Finding::ok("signed by somebody trusted"),
        Err(why) => Finding::fail(
            why.clone(),
            "send the intermediate certificates too; an authority of your own must be installed on every device, \
             and be named here with --ca FILE or `outbound.ca_file`",
        ),
    }))
}

pub(super) fn certificate_name(facts: &Facts) -> Finding {
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

pub(super) fn dates(facts: &Facts) -> Finding {
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

pub(super) fn issuer(facts: &Facts) -> Finding {
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

pub(super) fn forwarded(facts: &Facts) -> Finding {
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

pub(super) fn clock(facts: &Facts) -> Finding {
    let judge = || {
        let date = answer(&outside(facts)?.discovery)?.date;
        let date = date.ok_or_else(|| Finding::skip("the answer has no `Date`"))?;
        let off_s = (date.ms_since(facts.now) / 1000).abs();
        let text = format!("it differs from this machine's by {off_s} s");
        let advice = "let both be set by NTP: tokens carry times, and clients believe none from tomorrow";
        Ok(if off_s <= SKEW_OK_S {
            Finding::ok(text)
        } else if off_s <= SKEW_FAIL_S {
            Finding::warn(text, advice)
        } else {
            Finding::fail(text, advice)
        })
    };
    found(judge())
}

pub(super) fn hosts(facts: &Facts) -> Finding {
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

pub(super) fn related(facts: &Facts) -> Finding {
    let judge = || {
        let realm = realm_of(facts)?;
        let files = &outside(facts)?.related;
        for (rp_id, file) in files {
            let listed: Option<Value> = file.as_ref().ok().and_then(|answer| serde_json::from_str(&answer.body).ok());
            let listed = listed.and_then(|value| value.get("origins")?.as_array().cloned()).unwrap_or_default();
            let party = realm.relying_parties.iter().find(|party| party.rp_id == *rp_id);
            let origins = party.into_iter().flat_map(|party| party.origins.iter().chain(&party.related_origins));
            let needed = origins.filter(|origin| needs_file(origin, rp_id));
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

pub(super) fn permissions(facts: &Facts) -> Finding {
    let judge = || {
        let page = answer(&outside(facts)?.login)?;
        let policy = page.permissions_policy.as_deref().unwrap_or_default().replace(' ', "");
        let closed = |feature: &str| policy.split(',').any(|rule| rule == format!("{feature}=()"));
        let features = ["publickey-credentials-get", "publickey-credentials-create"];
        let closed: Vec<_> = features.into_iter().filter(|feature| closed(feature)).collect();
        Ok(if closed.is_empty() {
            Finding::ok("none")
        } else {
            let text = format!("the header `Permissions-Policy` forbids {}", closed.join(" and "));
            Finding::fail(text, "take it out of the reverse proxy's headers, or write (self) instead of ()")
        })
    };
    found(judge())
}
