// Every form ends in a chain of redirects to another origin, whose callback goes on to a third: `form-action 'self'`
// must block none of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApplication } from './support/application.mjs';
import { lend, newPerson } from './support/browser.mjs';
import { setMode, usePasskey, usePassword } from './support/flows.mjs';
import { openStage } from './support/stage.mjs';

const PASSWORD = 'a mast of four words';
const stage = await openStage();
const max = await newPerson(stage);
const { page, key } = max;
const shop = await openApplication(stage, 'shop');
await stage.command('user create max --password-stdin', PASSWORD);
await key.present(false);

test('the password', async () => {
  await page.goto(shop.signIn());
  await usePassword(max, 'max', PASSWORD);
  await page.click('#consent-allow');
  assert.ok((await shop.arrival(max)).code);
  await page.goto(shop.signIn({ prompt: 'login' }));
  await usePassword(max, 'max', PASSWORD);
  assert.ok((await shop.arrival(max)).code, 'straight from the password to the application');
});

test('consent given, and consent denied', async () => {
  await page.goto(shop.signIn({ prompt: 'consent' }));
  await page.click('#consent-allow');
  assert.ok((await shop.arrival(max)).code);
  await page.goto(shop.signIn({ prompt: 'consent' }));
  await page.click('#consent-deny');
  assert.equal((await shop.arrival(max)).error, 'access_denied');
});

test('the account that is chosen', async () => {
  await page.goto(shop.signIn({ prompt: 'select_account' }));
  await page.click('#choose-current');
  assert.ok((await shop.arrival(max)).code);
});

test('cancelling', async () => {
  await page.goto(shop.signIn({ prompt: 'login' }));
  await page.click('#login-cancel');
  assert.equal((await shop.arrival(max)).error, 'access_denied');
});

test('the second factor, and going on without it', async () => {
  const { url } = await stage.command('access-pass create max');
  const other = await newPerson(stage);
  await other.page.goto(url);
  await other.page.click('#passkey-create');
  await other.page.waitForURL('**/setup/done');
  await lend(other.key, key);
  await setMode(stage, max, 'optional', shop.signIn({ acr_values: 'phr' }), '#login-continue');
  await page.click('#login-continue');
  assert.ok((await shop.arrival(max)).code);
  await setMode(stage, max, 'passkey_first', shop.signIn({ acr_values: 'phr' }), 'body:not(:has(#login-continue))');
  await max.context.clearCookies();
  await page.goto(shop.signIn());
  await usePassword(max, 'max', PASSWORD);
  await page.waitForURL('**/login/second-factor?**');
  await usePasskey(max);
  assert.ok((await shop.arrival(max)).code);
});

test('signing out', async () => {
  await page.goto(shop.signOut());
  await page.click('#logout-confirm');
  await shop.arrival(max, '/bye');
});
