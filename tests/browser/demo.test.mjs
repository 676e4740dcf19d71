// The demo application after sign-in: step-up, single sign-on, sign-out; and a passkey that is bound to its device.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lend, newPerson } from './support/browser.mjs';
import { claims, openDemo, setUpOwner } from './support/flows.mjs';
import { openStage } from './support/stage.mjs';

const stage = await openStage();
const ada = await newPerson(stage);
const { page } = ada;
await setUpOwner(stage, ada);

/** The addresses the page shows while `act` runs, without those that only send it on. */
async function shown(act) {
  const seen = [];
  const note = frame => seen.push(new URL(frame.url()));
  page.on('framenavigated', note);
  await act();
  page.off('framenavigated', note);
  return seen.filter(url => url.origin === stage.product.issuer).map(url => url.pathname);
}

/** Waits until the clock, which claims tell in whole seconds, has moved past `second`. */
const past = second => page.waitForFunction(s => Date.now() / 1000 >= s + 1, second);

let first;

test('a passkey bound to its device says hwk', async () => {
  await openDemo(stage, ada);
  first = await claims(page);
  assert.deepEqual([...first.amr].sort(), ['hwk', 'mfa', 'pop', 'user']);
  assert.equal(first.acr, 'phr');
});

test('single sign-on shows no page and keeps auth_time', async () => {
  await past(first.auth_time);
  await ada.context.clearCookies({ name: 'idp-demo' });
  const pages = await shown(() => openDemo(stage, ada));
  assert.deepEqual(pages, []);
  const again = await claims(page);
  assert.equal(again.auth_time, first.auth_time);
  assert.equal(again.sid, first.sid);
});

test('step-up asks for the passkey again and gives a newer auth_time in the same session', async () => {
  await past(first.auth_time);
  await ada.key.present(false);
  await page.click('#demo-step-up');
  await page.waitForSelector('#passkey-login');
  await ada.key.present(true);
  await page.click('#passkey-login');
  await page.waitForSelector('#id-token-claims');
  const stepped = await claims(page);
  assert.ok(stepped.auth_time > first.auth_time);
  assert.equal(stepped.sid, first.sid);
  assert.equal(stepped.acr, 'phr');
});

test('signing out at the application signs out here too, without a question', async () => {
  const pages = await shown(async () => {
    await page.click('#demo-sign-out');
    await page.waitForSelector('#demo-sign-in');
  });
  assert.deepEqual(pages, []);
  await ada.key.present(false);
  await page.click('#demo-sign-in');
  await page.waitForURL(`${stage.product.issuer}/login?**`);
});

test('cancelling goes back to the application with access_denied', async () => {
  await page.click('#login-cancel');
  await page.waitForSelector('#error-page');
  assert.equal(new URL(page.url()).origin, stage.product.demo);
  assert.equal(await page.textContent('#error-code'), 'access_denied');
});

test('denied consent is access_denied too; "not you?" leads to the account chooser', async () => {
  const eve = await newPerson(stage);
  await lend(ada.key, eve.key);
  await eve.page.goto(`${stage.product.issuer}/login`);
  await eve.page.waitForURL('**/account/security');
  await eve.page.goto(`${stage.product.issuer}/authorize?${await question(eve)}`);
  await eve.page.waitForSelector('#consent-allow');
  await eve.page.getByRole('link', { name: 'Not you?' }).click();
  await eve.page.waitForSelector('#choose-other');
  await eve.page.click('#choose-current');
  await eve.page.click('#consent-deny');
  await eve.page.waitForSelector('#error-page');
  assert.equal(await eve.page.textContent('#error-code'), 'access_denied');
});

/** The demo's own request, asking for consent again. */
async function question(eve) {
  const answer = await eve.context.request.get(`${stage.product.demo}/sign-in`, { maxRedirects: 0 });
  const query = new URL(answer.headers().location).searchParams;
  query.set('prompt', 'consent');
  return query;
}
