// Attestation in Chromium: what is asked of it, what it sends, and the words where an application wants more than that.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApplication } from './support/application.mjs';
import { newPerson, plugIn, USB } from './support/browser.mjs';
import { setPolicy, usePasskey } from './support/flows.mjs';
import { review } from './support/review.mjs';
import { openStage } from './support/stage.mjs';

const stage = await openStage();
const person = await newPerson(stage, { key: USB });
const { page, key } = person;

/** What the browser was asked for, what it sent, and what was kept. */
const seen = {};
await page.route('**/webauthn/register/options', async route => {
  const response = await route.fetch();
  seen.asked = (await response.json()).publicKey;
  await route.fulfill({ response });
});
await page.route('**/webauthn/register', async route => {
  const { credential } = route.request().postDataJSON();
  const object = Buffer.from(credential.response.attestationObject, 'base64url').toString('latin1');
  // CBOR (RFC 8949 §3.1): the text `fmt`, then a text of so many characters.
  const at = object.indexOf('cfmt') + 4;
  seen.fmt = object.slice(at + 1, at + 1 + (object.charCodeAt(at) & 0x1f));
  seen.certified = object.includes('cx5c');
  const response = await route.fetch();
  seen.kept = await response.json();
  await route.fulfill({ response });
});

test('direct, and nobody has to vouch: it is asked for, sent, and the passkey is kept', async () => {
  await setPolicy(stage, 'attestation=direct');
  await stage.command('user create ada');
  const { url } = await stage.command('access-pass create ada');
  await page.goto(url);
  await page.click('#passkey-create');
  await page.waitForURL('**/setup/done');
  assert.equal(seen.asked.attestation, 'direct');
  // A batch certificate of Chromium's own, which no root that we know has signed.
  assert.deepEqual([seen.fmt, seen.certified], ['packed', true]);
  assert.equal(seen.kept.synced, false);
  const { passkeys } = await stage.command('user show ada');
  assert.equal(passkeys.length, 1);
});

test('it signs in', async () => {
  await key.present(false);
  await page.goto(`${stage.product.issuer}/login`);
  await usePasskey(person);
  await page.waitForURL('**/account/security');
});

test('an application that wants its make proved: the words before, and the words after', async () => {
  const vault = await openApplication(stage, 'vault', '--policy attestation_trust=mds --policy mode=passkey_only');
  await page.goto(vault.signIn());
  await page.waitForURL('**/login/enrol?**');
  await page.getByText('vault only takes passkeys whose make is proved. Allow it when your browser asks').waitFor();
  await review(page, 'enrol-attested');
  await key.unplug();
  await plugIn(page, USB);
  await page.click('[data-kind=security-key]');
  await page.getByText('Only authenticators whose maker is known are accepted here.').waitFor();
  const { passkeys } = await stage.command('user show ada');
  assert.equal(passkeys.length, 1);
});
