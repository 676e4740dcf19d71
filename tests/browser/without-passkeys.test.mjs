// A browser without WebAuthn, and one without JavaScript: passkey options are gone, password and a code from an app sign in.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { newPerson } from './support/browser.mjs';
import { usePassword } from './support/flows.mjs';
import { review } from './support/review.mjs';
import { openStage } from './support/stage.mjs';

const PASSWORD = 'a mast of four words';
const stage = await openStage();
const eve = await newPerson(stage);
await stage.command('user create eve --email eve@example.org --password-stdin', PASSWORD);
let secret;

/** The code of an authenticator app, so many minutes from now (RFC 6238 §4.2). */
function code(minutes) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map(c => alphabet.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map(byte => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor((Date.now() + minutes * 60_000) / 30_000)));
  const mac = createHmac('sha1', key).update(step).digest();
  return String((mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

test('somebody with a passkey, a password and an authenticator app', async () => {
  const { url } = await stage.command('access-pass create eve');
  const { page, key } = eve;
  await page.goto(url);
  await page.click('#passkey-create');
  await page.waitForURL('**/setup/done');
  await page.goto(`${stage.product.issuer}/login`);
  await page.waitForURL('**/account/security');
  await key.present(false);
  await page.goto(`${stage.product.issuer}/account/totp`);
  secret = (await page.textContent('#totp-secret')).replace(/\s/g, '');
  await page.fill('#code', code(0));
  await page.click('#totp-submit');
  await page.waitForURL('**/account/security**');
});

const BROWSERS = [
  ['without WebAuthn', {}, page => page.addInitScript(() => { delete globalThis.PublicKeyCredential; })],
  ['without JavaScript', { javaScriptEnabled: false }, async () => {}],
];

for (const [index, [name, profile, prepare]] of BROWSERS.entries()) {
  test(`a browser ${name}: password, then a code`, async () => {
    const later = 2 * (index + 1);
    await stage.restart({ later });
    const person = await newPerson(stage, { key: null, ...profile });
    const { page } = person;
    await prepare(page);
    await page.goto(`${stage.product.issuer}/login`);
    await usePassword(person, 'eve', PASSWORD);
    await page.waitForSelector('#use-totp');
    assert.equal(await page.locator('#passkey-login').isVisible(), false);
    if (profile.javaScriptEnabled !== false) await review(page, 'second-factor-without-webauthn');
    await page.click('#use-totp');
    await page.fill('#code', code(later));
    await page.click('#login-submit');
    await page.waitForURL('**/account/security');
    assert.equal(await page.locator('#passkey-create').isVisible(), false, 'nor is adding one offered');
    await person.context.close();
  });
}
