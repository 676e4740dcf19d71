//! The table of checks, in the order in which faults follow from each other.
//! Each row names its check in `installation`, `policies` or `web`; `idp doctor` prints them all.

use super::facts::Facts;
use super::{Check, Finding, installation, policies, web};

const fn check(id: &'static str, about: &'static str, judge: fn(&Facts) -> Finding) -> Check {
    Check { id, about, judge }
}

/// Every check.
pub const CHECKS: &[Check] = &[
    check("settings.readable", "the settings can be read and nothing in them is doubtful", installation::settings),
    check("database.reachable", "the database answers", installation::database),
    check("database.migrated", "its schema is the one of this version", installation::migrated),
    check("realm.present", "the realm is there and is what the settings say", installation::realm),
    check("realm.keys", "an active key for each algorithm, and it can be unsealed", installation::keys),
    check("realm.owner", "somebody may administer", installation::owner),
    check("mail.transport", "mails can be sent", installation::mail),
    check("issuer.https", "https, or localhost", installation::https),
    check("issuer.name", "a DNS name, not an address", installation::name),
    check("web.reachable", "the issuer's address answers", web::reachable),
    check("tls.trusted", "its certificate is signed by an authority of the system or a named one", web::trusted),
    check("tls.name", "its certificate is made for the host", web::certificate_name),
    check("tls.dates", "its certificate is good now and for two weeks more", web::dates),
    check("web.issuer", "discovery says the issuer, byte for byte", web::issuer),
    check("web.forwarded", "forwarding headers of strangers change nothing", web::forwarded),
    check("web.clock", "the server's clock is right", web::clock),
    check("web.hosts", "every host of the realm answers, those of old RP IDs too", web::hosts),
    check("people.one_device", "nobody has one passkey on one device and no other way in", installation::one_device),
    check("rp_id.host", "each RP ID is its hosts or a parent of them", installation::rp_id),
    check("rp_id.related", "origins beyond the RP ID are listed where browsers look", web::related),
    check("rp_id.passkeys", "no passkey was made for an RP ID that is gone", installation::orphans),
    check("policy.shown", "the sign-in page offers passkeys", policies::shown),
    check("policy.registration", "new passkeys can be made", policies::registration),
    check("policy.satisfiable", "somebody can satisfy the policy", policies::satisfiable),
    check("mds.fresh", "FIDO's metadata are there where a policy rests on them, and not overdue", policies::metadata),
    check("login.permissions", "no permissions policy forbids passkeys on the sign-in page", web::permissions),
];
