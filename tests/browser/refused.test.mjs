// When a passkey does not work: the page says what happened and what to do, keeps what was typed, and can go on.
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { lend, newPerson, SYNCED } from './support/browser.mjs';
import { setPolicy, setUpOwner, usePasskey } from './support/flows.mjs';
import { review } from './support/review.mjs';
import { openStage } from './support/stage.mjs';

const stage = await openStage();
const ada = await newPerson(stage);
await setUpOwner(stage, ada);

/** Somebody at the sign-in page who has typed a name; their authenticator waits to be touched. */
async function atLogin(options) {
  const person = await newPerson(stage, options);
  await person.key?.present(false);
  await person.page.goto(`${stage.product.issuer}/login`);
  await person.page.fill('#username', 'ada');
  await person.page.locator('#passkey-login').waitFor({ state: options?.key === null ? 'attached' : 'visible' });
  return person;
}

/** The page says so, is ready for another try, and has kept what was typed. */
async function says(page, words) {
  const notice = page.locator('#notices [role=alert]');
  await notice.filter({ hasText: words }).waitFor();
  assert.equal(await page.inputValue('#username'), 'ada');
  assert.equal(await page.getAttribute('#passkey-login', 'aria-busy'), 'false');
  return notice.textContent();
}

const madeUp = () => ({
  credentialId: randomBytes(32).toString('base64'),
  isResidentCredential: true,
  rpId: 'localhost',
  privateKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    .export({ type: 'pkcs8', format: 'der' }).toString('base64'),
  userHandle: randomBytes(64).toString('base64'),
  signCount: 0,
});

test('no passkey here', async () => {
  const person = await atLogin();
  await usePasskey(person);
  await says(person.page, 'No passkey was used');
});

test('a passkey that is not known here', async () => {
  const person = await atLogin();
  await person.key.add(madeUp());
  await usePasskey(person);
  const said = await says(person.page, 'That did not work');
  assert.match(said, /Request [a-z0-9]+/);
});

test("somebody else's passkey after a user name, and then another way", async () => {
  const person = await newPerson(stage);
  const { page, key } = person;
  await lend(ada.key, key);
  await key.present(false);
  await page.goto(`${stage.product.issuer}/login`);
  await page.fill('#username', 'grace');
  await page.click('#login-submit');
  await page.waitForSelector('#login-restart');
  await usePasskey(person);
  await page.locator('#notices [role=alert]').waitFor();
  assert.equal(await page.inputValue('#username'), 'grace');
  await page.click('#login-restart');
  await page.waitForURL('**/account/security');
});

test('stopping while it waits says nothing; then the passkey works', async () => {
  const person = await atLogin();
  const { page, key } = person;
  await lend(ada.key, key);
  await page.click('#passkey-login');
  await page.locator('#passkey-login[aria-busy=true]').filter({ hasText: 'Waiting' }).waitFor();
  await page.click('#passkey-stop');
  await page.waitForSelector('#passkey-login[aria-busy=false]');
  await page.waitForSelector('#passkey-stop', { state: 'hidden' });
  assert.equal(await page.textContent('#notices'), '');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'passkey-login', 'the focus is not lost');
  assert.equal(await page.inputValue('#username'), 'ada');
  await usePasskey(person);
  await page.waitForURL('**/account/security');
});

test('the authenticator is pulled out while it waits', async () => {
  const { page, key } = await atLogin({ key: { transport: 'usb' } });
  await page.click('#passkey-login');
  await page.waitForSelector('#passkey-login[aria-busy=true]');
  await key.unplug();
  await Promise.race([
    page.waitForSelector('#passkey-login[aria-busy=false]'),
    page.click('#passkey-stop'),
  ]);
  await page.waitForSelector('#passkey-login[aria-busy=false]');
  assert.equal(await page.inputValue('#username'), 'ada');
});

test('an authenticator that does not verify its user', async () => {
  const person = await atLogin();
  await lend(ada.key, person.key);
  await person.key.verified(false);
  await usePasskey(person);
  await says(person.page, 'No passkey was used');
});

test('the server cannot be reached', async () => {
  const person = await atLogin();
  await person.context.setOffline(true);
  await usePasskey(person);
  await says(person.page, 'The server could not be reached');
  stage.forgive(/ERR_INTERNET_DISCONNECTED/);
});

test('a browser without passkeys is told so and keeps the other ways', async () => {
  const person = await newPerson(stage, { key: null });
  const { page } = person;
  await page.addInitScript(() => { delete globalThis.PublicKeyCredential; });
  await page.goto(`${stage.product.issuer}/login`);
  await page.locator('#notices [role=alert]').filter({ hasText: 'This browser cannot use passkeys' }).waitFor();
  assert.equal(await page.locator('[data-passkey]').count(), 0);
  await page.fill('#username', 'ada');
  await page.click('#login-submit');
  await page.waitForSelector('#password');
  assert.equal(await page.locator('#passkey-login').count(), 0);
});

test('a kind that the policy refuses since: the page says which and what to use, to strangers no names', async () => {
  await stage.command('user create mia');
  const { url } = await stage.command('access-pass create mia');
  const person = await newPerson(stage, { key: SYNCED });
  const { page, key } = person;
  await page.goto(url);
  await page.click('#passkey-create');
  await page.waitForURL('**/setup/done');
  await key.present(false);
  await setPolicy(stage, 'deny_synced=true');
  await page.goto(`${stage.product.issuer}/login`);
  await usePasskey(person);
  const notice = page.locator('#notices [role=alert]');
  await notice.filter({ hasText: 'Passkeys that are synced between devices are not accepted here. Please use a security key.' }).waitFor();
  assert.doesNotMatch(await notice.textContent(), /mia/);
  await review(page, 'login-kind-refused');
  await setPolicy(stage, 'deny_synced=false');
  await usePasskey(person);
  await page.waitForURL('**/account/security');
});
