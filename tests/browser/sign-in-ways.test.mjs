// The ways into an account with a passkey: autofill, the button, the user name first, the keyboard alone.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { lend, newPerson } from './support/browser.mjs';
import { setUpOwner, usePasskey } from './support/flows.mjs';
import { openStage } from './support/stage.mjs';

const stage = await openStage();
const ada = await newPerson(stage);
const { page, key } = ada;
await setUpOwner(stage, ada);

/** What the page asked the server for a challenge with. */
let asked = [];
page.on('request', request => {
  if (request.url().endsWith('/webauthn/authenticate/options')) asked.push(request.postDataJSON());
});

beforeEach(async () => {
  await ada.context.clearCookies();
  asked = [];
});

/** The sign-in page, with an authenticator that waits to be touched. */
async function login() {
  await key.present(false);
  await page.goto(`${stage.product.issuer}/login`);
  await page.waitForSelector('#passkey-login');
}

test('by autofill: a passkey picked in the field signs in without a click', async () => {
  await key.present(true);
  await page.goto(`${stage.product.issuer}/login`);
  await page.waitForURL('**/account/security');
  assert.deepEqual(asked.map(body => body.mediation), ['conditional']);
});

test('by the button', async () => {
  await login();
  await usePasskey(ada);
  await page.waitForURL('**/account/security');
  assert.equal(asked.at(-1).mediation, undefined);
  assert.equal(asked.at(-1).username, undefined);
});

test('the user name first', async () => {
  await login();
  await page.fill('#username', 'ada@example.org');
  await page.click('#login-submit');
  await page.waitForSelector('#login-restart');
  await usePasskey(ada);
  await page.waitForURL('**/account/security');
  assert.equal(asked.at(-1).username, 'ada@example.org');
});

test('with the keyboard alone', async () => {
  await login();
  await key.present(true);
  const focused = () => page.evaluate(() => document.activeElement.id);
  for (let i = 0; i < 10 && await focused() !== 'passkey-login'; i += 1) await page.keyboard.press('Tab');
  assert.equal(await focused(), 'passkey-login');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, 'solid', 'the focus is seen');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/account/security');
});

test('the keyboard reaches everything on the account page, the skip link first', async () => {
  await key.present(true);
  await page.goto(`${stage.product.issuer}/login`);
  await page.waitForURL('**/account/security');
  await page.waitForSelector('#passkey-create');
  const reached = new Set();
  for (let i = 0; i < 40; i += 1) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim()));
  }
  assert.match([...reached][0], /Skip to the content/);
  for (const id of ['passkey-name', 'passkey-create', 'passkey-create-phone', 'passkey-create-key']) assert.ok(reached.has(id), id);
});

test('a page that stays open renews its challenge, and nobody notices', async () => {
  const person = await newPerson(stage);
  await lend(key, person.key);
  await person.key.present(false);
  await person.page.clock.install();
  const options = () => person.page.waitForResponse('**/webauthn/authenticate/options').then(response => response.json());
  const first = options();
  await person.page.goto(`${stage.product.issuer}/login`);
  await person.page.waitForSelector('html[data-listening=yes]');
  const challenge = (await first).publicKey.challenge;
  const second = options();
  const signed = person.page.waitForRequest('**/webauthn/authenticate');
  // It answers what it is asked from now on: a ceremony that waits is none of its business.
  await person.key.present(true);
  await person.page.clock.fastForward('04:30');
  const renewed = await second;
  assert.notEqual(renewed.publicKey.challenge, challenge);
  await person.page.waitForURL('**/account/security');
  assert.equal((await signed).postDataJSON().ceremony, renewed.ceremony, 'by the autofill, with the new challenge');
  await person.context.close();
});
