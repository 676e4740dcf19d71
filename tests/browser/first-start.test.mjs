// First start: the one-time link makes the owner; the passkey signs in, here and at an application, also after a restart.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPerson, SYNCED } from './support/browser.mjs';
import { claims, openDemo, setUpOwner } from './support/flows.mjs';
import { openStage } from './support/stage.mjs';

const stage = await openStage();
const ada = await newPerson(stage, { key: SYNCED });
const { page } = ada;
const link = stage.product.setup;

test('the link of the terminal makes the owner with a passkey', async () => {
  assert.match(link, new RegExp(`^${stage.product.issuer}/setup\\?token=`));
  await setUpOwner(stage, ada);
  assert.match(await page.textContent('h1'), /passkey is ready/);
  const [passkey] = await ada.key.credentials();
  assert.equal(passkey.rpId, 'localhost');
  assert.equal(passkey.isResidentCredential, true);
});

test('making a passkey signs nobody in: it is used once in the same visit', async () => {
  const session = await page.evaluate(async () => (await fetch('/webauthn/session')).json());
  assert.equal(session.signed_in, false);
  await page.click('#message-next');
  await page.waitForURL('**/account/security');
  assert.match(await page.textContent('.who'), /ada/);
});

test('the link works once', async () => {
  const answer = await page.goto(link);
  assert.equal(answer.status(), 403);
  assert.equal(await page.textContent('#error-code'), 'link_over');
});

test('the demo gets the consent and learns how the person signed in', async () => {
  await page.goto(stage.product.demo);
  await page.click('#demo-sign-in');
  await page.waitForURL('**/consent?**');
  assert.match(await page.textContent('main'), /ada@example\.org/);
  await page.click('#consent-allow');
  await page.waitForSelector('#id-token-claims');
  const token = await claims(page);
  assert.equal(token.iss, stage.product.issuer);
  assert.equal(token.aud instanceof Array ? token.aud[0] : token.aud, 'demo');
  assert.equal(token.acr, 'phr');
  assert.deepEqual([...token.amr].sort(), ['mfa', 'pop', 'swk', 'user']);
  const now = Date.now() / 1000;
  assert.ok(token.auth_time <= now && token.auth_time > now - 60, 'auth_time is when the passkey was used');
  assert.match(await page.textContent('main'), /ada@example\.org/, 'userinfo says the address');
});

test('after a restart on the same data the session, the consent and the passkey are still good', async () => {
  await stage.restart();
  assert.equal(stage.product.setup, null, 'there is an owner: no link');
  await openDemo(stage, ada);
  await ada.context.clearCookies();
  await openDemo(stage, ada);
  assert.equal((await claims(page)).acr, 'phr');
});
