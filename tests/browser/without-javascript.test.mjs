// No JavaScript: sign-in with a password, consent and sign-out work with forms alone, through a chain of redirects.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApplication } from './support/application.mjs';
import { newPerson } from './support/browser.mjs';
import { usePassword } from './support/flows.mjs';
import { openStage } from './support/stage.mjs';

const PASSWORD = 'a mast of four words';
const stage = await openStage();
const eve = await newPerson(stage, { key: null, javaScriptEnabled: false });
const { page } = eve;
const shop = await openApplication(stage, 'shop');
await stage.command('user create eve --email eve@example.org --password-stdin', PASSWORD);
/** What is written for browsers without scripts; text selectors do not look there. */
const saysSo = async () => {
  const notice = page.locator('noscript .notice');
  await notice.waitFor();
  assert.match(await notice.textContent(), /Passkeys need JavaScript/);
};
let answer;

test('the page says that passkeys need JavaScript and shows what works without', async () => {
  await page.goto(shop.signIn());
  await saysSo();
  assert.equal(await page.locator('#passkey-login').isVisible(), false);
});

test('a wrong password comes back with the name', async () => {
  await usePassword(eve, 'eve', 'surely not the right one');
  await page.getByText('That didn’t match').waitFor();
  assert.equal(await page.inputValue('#username'), 'eve');
});

test('password, consent and the way to the application', async () => {
  await page.fill('#password', PASSWORD);
  await page.click('#login-submit');
  await page.click('#consent-allow');
  answer = await shop.arrival(eve);
  assert.equal(answer.state, 'here');
  assert.equal(answer.iss, stage.product.issuer);
});

test('the code is good', async () => {
  const { token, claims } = await shop.redeem(answer);
  assert.deepEqual(claims.amr, ['pwd']);
  eve.token = token;
});

test('the account page shows its state and needs no script', async () => {
  await page.goto(`${stage.product.issuer}/account/security`);
  await page.getByText('One step missing').waitFor();
});

test('staying signed in, then signing out', async () => {
  await page.goto(shop.signOut());
  await page.click('#logout-deny');
  await page.waitForSelector('#logged-in');
  await page.goto(shop.signOut());
  await page.click('#logout-confirm');
  await shop.arrival(eve, '/bye');
  await page.goto(`${stage.product.issuer}/account/security`);
  await page.waitForSelector('#username');
});

test('the application signs out by its hint, without a question', async () => {
  await page.goto(shop.signIn());
  await usePassword(eve, 'eve@example.org', PASSWORD);
  const { token } = await shop.redeem(await shop.arrival(eve));
  await page.goto(shop.signOut(token));
  await shop.arrival(eve, '/bye');
});
