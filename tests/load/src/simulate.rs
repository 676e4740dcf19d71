//! How long `idp policy simulate` takes on a large realm, and whether it names everybody it should.

use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use serde_json::Value;

use crate::Failure;
use crate::product::Home;

/// What is proposed: synced passkeys are refused, and nothing else lets in. Members of the group keep the realm's policy
/// as it was.
const PROPOSED: &str = "[realm]\nmode = \"passkey_only\"\ndeny_synced = true\n\
     [groups.staff]\npriority = 1\nmode = \"passkey_first\"\ndeny_synced = false\n";
/// Longest time, optimised, on a machine that does nothing else.
const WITHIN: Duration = Duration::from_secs(5);

/// Measures; whether everybody was named, in time.
pub fn measure(accounts: usize, json: bool) -> Result<bool, Failure> {
    let home = Home::new("warn")?;
    home.start()?.stop()?;
    fill(&mut Connection::open(home.path("idp.db"))?, accounts)?;
    let file = home.path("proposed.toml");
    std::fs::write(&file, PROPOSED)?;
    let started = Instant::now();
    let said = home.run(&["policy", "simulate", file.to_str().ok_or("no UTF-8")?, "--json"])?;
    let took = started.elapsed();
    let said: Value = serde_json::from_slice(&said)?;
    let named = said["locked_out"].as_array().ok_or("no locked_out")?;
    let right = (0..accounts).filter(|number| is_locked_out(*number)).count();
    let each = named.iter().all(|who| {
        let number = who["username"].as_str().and_then(|name| name.strip_prefix("person")?.parse().ok());
        number.is_some_and(is_locked_out)
    });
    let complete = named.len() == right && each && said["accounts"] == accounts;
    let seconds = took.as_secs_f64();
    if json {
        println!("{{\"accounts\":{accounts},\"seconds\":{seconds:.2},\"locked_out\":{right},\"complete\":{complete}}}");
    } else {
        println!("{accounts} accounts in {seconds:.2} s, {right} locked out, all of them named: {complete}");
    }
    // Unoptimised, only the names count.
    Ok(complete && (took <= WITHIN || cfg!(debug_assertions)))
}

/// Whoever has a security key keeps it, and whoever is in the group keeps everything.
const fn is_locked_out(number: usize) -> bool {
    !number.is_multiple_of(3) && !number.is_multiple_of(5)
}

/// Writes the accounts as the product would: each has two passkeys, of which every third's second is a security key;
/// every second has a password, every fifth is in the group.
fn fill(database: &mut Connection, accounts: usize) -> Result<(), Failure> {
    let realm: i64 = database.query_row("SELECT realm_id FROM realms WHERE name = 'default'", [], |row| row.get(0))?;
    let change = database.transaction()?;
    change.execute(
        "INSERT INTO groups (realm_id, name, display_name, created_ms) VALUES (?1, 'staff', 'Staff', 0)",
        [realm],
    )?;
    {
        let mut account = change.prepare(
            "INSERT INTO accounts (realm_id, account_id, username, username_key, email_key, profile, user_handle, role, \
             state, password_hash, password_version, created_ms, updated_ms) \
             VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, 'user', 'active', ?7, 0, 0, 0)",
        )?;
        let mut passkey = change.prepare(
            "INSERT INTO passkeys (realm_id, credential_id, account_id, rp_id, public_key, alg, counter, counter_ms, \
             uv_initialized, discoverable, backup_eligible, backup_state, transports, attachment, aaguid, \
             attestation_format, name, state, created_ms) VALUES (?1, ?2, ?3, 'localhost', ?4, -7, 0, 0, 1, 1, ?5, ?5, \
             ?6, 'cross-platform', ?7, 'none', 'Passkey', 'active', 0)",
        )?;
        let mut member =
            change.prepare("INSERT INTO group_members (realm_id, group_name, account_id) VALUES (?1, 'staff', ?2)")?;
        for number in 0..accounts {
            // As time-ordered as the product's own.
            let id = (number as u128 + 1).to_be_bytes();
            let name = format!("person{number}");
            let email = format!("{name}@example.org");
            let profile = format!("{{\"name\":\"Person {number}\",\"email\":\"{email}\",\"email_verified\":true}}");
            let handle: Vec<u8> = id.iter().copied().cycle().take(64).collect();
            let password = (number % 2 == 0).then_some("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA");
            account.execute(params![realm, id, name, email, profile, handle, password])?;
            for (at, synced) in [true, number % 3 != 0].into_iter().enumerate() {
                let credential: Vec<u8> = id.iter().copied().chain([u8::try_from(at)?; 16]).collect();
                let transports = if synced { "[\"internal\",\"hybrid\"]" } else { "[\"usb\"]" };
                passkey.execute(params![realm, credential, id, [7u8; 77], synced, transports, [0u8; 16]])?;
            }
            if number % 5 == 0 {
                member.execute(params![realm, id])?;
            }
        }
    }
    change.commit()?;
    Ok(())
}
