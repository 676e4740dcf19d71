// Every kind of authenticator a browser can speak to: enrolled by an access pass, then signed in with. Each row of a table
// is one person with one browser; the product is one for all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPerson, SYNCED, USB } from './support/browser.mjs';
import { setPolicy, usePasskey, usePassword } from './support/flows.mjs';
import { openStage } from './support/stage.mjs';

const PASSWORD = 'a mast of four words';
/** What a browser reaches, and what the product takes it for. */
const TRANSPORTS = {
  usb: 'Security key', nfc: 'Security key', ble: 'Security key', hybrid: 'Phone', internal: 'This device',
};
const stage = await openStage();
const { issuer } = stage.product;
let people = 0;

/** A new user at their access pass, with an authenticator. */
async function newcomer(key, { password } = {}) {
  people += 1;
  const name = `user${people}`;
  await stage.command(`user create ${name}${password ? ' --password-stdin' : ''}`, password);
  const person = await newPerson(stage, { key });
  await comes(person, name);
  return Object.assign(person, { name });
}

async function comes(person, name) {
  const { url } = await stage.command(`access-pass create ${name}`);
  await person.page.goto(url);
  await person.page.waitForSelector('#passkey-create');
}

/** Makes the passkey; what the product kept of it. */
async function enrol({ page, key }) {
  let kept;
  await page.route('**/webauthn/register', async route => {
    const response = await route.fetch();
    kept = await response.json();
    await route.fulfill({ response });
  }, { times: 1 });
  await page.click('#passkey-create');
  await page.waitForURL('**/setup/done');
  // Else it would answer the autofill of the page that comes next.
  await key.present(false);
  return kept;
}

async function signIn(person) {
  await person.key.present(false);
  await person.context.clearCookies();
  await person.page.goto(`${issuer}/login`);
  await usePasskey(person);
}

const isIn = ({ page }) => page.waitForURL('**/account/security');
const says = ({ page }, words) => page.locator('#notices [role=alert]').filter({ hasText: words }).waitFor();

const policy = fields => setPolicy(stage, fields);

for (const [transport, kind] of Object.entries(TRANSPORTS)) {
  test(`${transport}, resident: signs in without a name`, async () => {
    const person = await newcomer({ transport });
    const kept = await enrol(person);
    assert.ok(kept.transports.includes(transport));
    assert.deepEqual([kept.name, kept.discoverable, kept.synced], [kind, true, false]);
    await signIn(person);
    await isIn(person);
    await person.context.close();
  });
}

// [eligible at first, backed up at first, eligible later, backed up later, what the page says then]
const BACKUP = [
  [false, false, false, false, null],
  [true, false, true, false, null],
  [true, true, true, true, null],
  [true, false, true, true, null],
  [true, true, true, false, null],
  [false, false, true, true, 'cannot be accepted'],
  [false, false, true, false, 'cannot be accepted'],
  [true, true, false, false, 'cannot be accepted'],
  [true, true, false, true, 'cannot be accepted'],
  [false, false, false, true, 'cannot be accepted'],
];

for (const [be, bs, laterBe, laterBs, refusal] of BACKUP) {
  const flags = (eligible, backedUp) => `BE=${Number(eligible)} BS=${Number(backedUp)}`;
  test(`${flags(be, bs)}, later ${flags(laterBe, laterBs)}: ${refusal ?? 'in'}`, async () => {
    const person = await newcomer({ defaultBackupEligibility: be, defaultBackupState: bs });
    assert.equal((await enrol(person)).synced, be);
    const [{ credentialId }] = await person.key.credentials();
    await person.key.change(credentialId, { backupEligibility: laterBe, backupState: laterBs });
    await signIn(person);
    await (refusal ? says(person, refusal) : isIn(person));
    await person.context.close();
  });
}

test('BE=0 BS=1 is no passkey: refused when it is made', async () => {
  const person = await newcomer({ defaultBackupEligibility: false, defaultBackupState: true });
  await person.page.click('#passkey-create');
  await says(person, 'cannot be accepted');
  const { passkeys } = await stage.command(`user show ${person.name}`);
  assert.deepEqual(passkeys, []);
  await person.context.close();
});

test('one authenticator, two accounts: it offers both by name, and removing one leaves the other', async () => {
  const person = await newcomer(USB);
  const { name: first, page, key } = person;
  await enrol(person);
  await stage.command('user create second --email second@example.org');
  await key.present(true);
  await comes(person, 'second');
  await enrol(person);
  const both = await key.credentials();
  assert.deepEqual(both.map(passkey => passkey.userName).sort(), ['second@example.org', first].sort());
  assert.equal(new Set(both.map(passkey => passkey.userHandle)).size, 2);
  const signsIn = async who => {
    await signIn(person);
    await isIn(person);
    await page.locator('.who').filter({ hasText: who }).waitFor();
  };
  const ownedBy = name => both.find(passkey => passkey.userName.startsWith(name));
  await key.forget(ownedBy('second').credentialId);
  await signsIn(first);
  await key.add(ownedBy('second'));
  await key.forget(ownedBy(first).credentialId);
  await signsIn('second');
  // Gone from the product, it opens nothing; the other still does.
  await stage.command('user delete second');
  await signIn(person);
  await says(person, 'not known here');
  await key.add({ ...ownedBy(first), signCount: 1000 });
  // Told that it is unknown, the browser may have forgotten it by itself.
  await key.forget(ownedBy('second').credentialId).catch(() => {});
  await signsIn(first);
  await person.context.close();
});

/** The same passkey with a counter that went back, as in a copy. */
async function goBack({ key }) {
  const [passkey] = await key.credentials();
  await key.forget(passkey.credentialId);
  await key.add({ ...passkey, signCount: 0 });
}

/** Somebody whose security key has counted, and whose copy is now used. */
async function copied(response) {
  await policy(`clone_response=${response}`);
  const person = await newcomer(USB, { password: PASSWORD });
  await enrol(person);
  for (let i = 0; i < 3; i += 1) {
    await signIn(person);
    await isIn(person);
  }
  await goBack(person);
  await signIn(person);
  return person;
}

test('a counter that goes back, block: refused, and the passkey is set aside', async () => {
  const person = await copied('block');
  await says(person, 'may have been copied');
  await signIn(person);
  await says(person, 'suspended');
  await person.context.close();
});

test('a counter that goes back, step up: the password is asked too', async () => {
  const person = await copied('step_up');
  await person.page.fill('#password', PASSWORD);
  await person.page.click('#login-submit');
  await isIn(person);
  await person.context.close();
});

test('a counter that goes back, notify: let in, and recorded', async () => {
  const person = await copied('notify');
  await isIn(person);
  const rows = await stage.command('audit list --event passkey.cloned');
  assert.equal(rows.length, 3, 'each of the three responses leaves its row');
  await person.context.close();
});

test('the policy for keys that remember nothing', async () => {
  await policy('clone_response=notify mode=password_then_passkey resident_key=discouraged');
});

/** Password, then the passkey as second factor. */
async function withBoth(person) {
  await person.key.present(false);
  await person.context.clearCookies();
  await person.page.goto(`${issuer}/login`);
  await usePassword(person, person.name, PASSWORD);
  await usePasskey(person);
  await isIn(person);
}

for (const [transport, kind] of Object.entries(TRANSPORTS)) {
  test(`${transport}, not resident: a second factor`, async () => {
    const person = await newcomer({ transport, hasResidentKey: false }, { password: PASSWORD });
    const kept = await enrol(person);
    assert.deepEqual([kept.name, kept.discoverable], [kind, false]);
    await withBoth(person);
    await person.context.close();
  });
}

test('U2F: a key without PIN and memory, where the policy takes it', async () => {
  const required = 'device:required,phone:required';
  await policy(`user_verification=security_key:discouraged,${required} resident_key=security_key:discouraged,${required}`);
  const u2f = {
    protocol: 'u2f', ctap2Version: undefined, transport: 'usb', hasResidentKey: false, hasUserVerification: false,
    isUserVerified: false,
  };
  const person = await newcomer(u2f, { password: PASSWORD });
  const kept = await enrol(person);
  assert.deepEqual([kept.transports, kept.synced, kept.alg], [['usb'], false, -7]);
  await withBoth(person);
  await person.context.close();
});

test('U2F: refused again where the policy asks for its user', async () => {
  await policy('user_verification=required resident_key=required');
  const person = await newcomer({
    protocol: 'u2f', ctap2Version: undefined, transport: 'usb', hasResidentKey: false, hasUserVerification: false,
    isUserVerified: false,
  });
  await person.page.click('#passkey-create');
  await person.page.locator('#notices [role=alert]').waitFor();
  assert.deepEqual((await stage.command(`user show ${person.name}`)).passkeys, []);
  await person.context.close();
});

test('a passkey of a password manager, brought to another device, goes on', async () => {
  await policy('mode=passkey_first');
  const person = await newcomer(SYNCED);
  await enrol(person);
  const other = await newPerson(stage, { key: SYNCED });
  for (const passkey of await person.key.credentials()) await other.key.add(passkey);
  await signIn(other);
  await isIn(other);
  await other.context.close();
  await person.context.close();
});
