// A password, set with an access pass; then a passkey beside it, as second factor and as step-up.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApplication } from './support/application.mjs';
import { newPerson } from './support/browser.mjs';
import { setMode, usePasskey, usePassword } from './support/flows.mjs';
import { review } from './support/review.mjs';
import { openStage } from './support/stage.mjs';

const PASSWORD = 'a mast of four words';
const stage = await openStage();
const bob = await newPerson(stage);
const { page, key } = bob;
const shop = await openApplication(stage, 'shop');
await stage.command('user create bob --email bob@example.org');

/** The claims the application gets for a request. */
const claims = async answer => (await shop.redeem(await answer)).claims;

async function asked(parameters) {
  await page.goto(shop.signIn(parameters));
  if (new URL(page.url()).pathname === '/consent') await page.click('#consent-allow');
  return shop.arrival(bob);
}

test('an access pass lets its user set a password, if it is no easy one', async () => {
  const { url } = await stage.command('access-pass create bob');
  await page.goto(url);
  await page.waitForSelector('#passkey-create');
  await review(page, 'setup-pass');
  await page.fill('#password', 'a'.repeat(20));
  await page.click('#setup-submit');
  await page.locator('#notices [role=alert]').filter({ hasText: 'simple pattern' }).waitFor();
  await review(page, 'setup-pass-easy');
  await page.fill('#password', PASSWORD);
  await page.click('#setup-submit');
  await page.waitForSelector('h1:has-text("Your password is set")');
  await review(page, 'password-set');
  await page.goto(url);
  assert.equal(await page.textContent('#error-code'), 'link_over');
});

test('where no passkeys are made, an access pass is for a password alone, or for nothing yet', async () => {
  await stage.command('user create carl --email carl@example.org');
  const { url } = await stage.command('access-pass create carl');
  const carl = await newPerson(stage);
  const shows = async (policy, id) => {
    await stage.command(`policy set ${policy}`);
    for (let look = 0; look < 50; look += 1) {
      await carl.page.goto(url);
      if (await carl.page.locator(id).count() > 0) return;
      await carl.page.waitForTimeout(100);
    }
    assert.fail(`${policy}: ${await carl.page.content()}`);
  };
  await shows('allow_registration=false mode=passkey_only', '#notices .notice:has-text("Nothing can be set up")');
  assert.equal(await carl.page.locator('#password, #passkey-create').count(), 0);
  await review(carl.page, 'setup-nothing');
  await shows('enabled=false mode=passkey_first', '#password');
  assert.equal(await carl.page.locator('#passkey-create').count(), 0);
  await review(carl.page, 'setup-password-only');
  await carl.page.fill('#password', PASSWORD);
  await carl.page.click('#setup-submit');
  await carl.page.waitForSelector('h1:has-text("Your password is set")');
  await stage.command('policy set enabled=true allow_registration=true');
});

test('a wrong password is told, and the name is kept', async () => {
  await key.present(false);
  await page.goto(`${stage.product.issuer}/login`);
  await usePassword(bob, 'bob', 'not the right one at all');
  await page.locator('#notices [role=alert]').filter({ hasText: 'That didn’t match' }).waitFor();
  assert.equal(await page.inputValue('#username'), 'bob');
  await review(page, 'login-wrong-password');
});

test('the right one signs in, and the page names the step that is missing', async () => {
  await page.fill('#password', PASSWORD);
  await page.click('#login-submit');
  await page.waitForURL('**/account/security');
  await page.locator('#notices').filter({ hasText: 'One step missing: a passkey' }).waitFor();
  await review(page, 'security-none');
});

test('asked for phr without a passkey: what there is, or an error where it is essential', async () => {
  const token = await claims(asked({ acr_values: 'phr' }));
  assert.deepEqual(token.amr, ['pwd']);
  assert.notEqual(token.acr, 'phr');
  const essential = { id_token: { acr: { essential: true, values: ['phr'] } } };
  const answer = await asked({ claims: JSON.stringify(essential) });
  assert.equal(answer.error, 'unmet_authentication_requirements');
  assert.equal(answer.code, undefined);
});

test('a password alone does not buy a passkey: the page does not offer it, the server refuses it', async () => {
  await page.goto(`${stage.product.issuer}/account/security`);
  await page.getByText('Ask your administrator for a link').waitFor();
  assert.equal(await page.locator('#passkey-create').count(), 0);
  const refused = await page.evaluate(async () => {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch('/webauthn/register/options', { method: 'POST', headers, body: '{}' });
    return (await answer.json()).code;
  });
  assert.equal(refused, 'access_pass_required');
});

test('where both ways are open, a step-up is offered and may be declined', async () => {
  const { url } = await stage.command('access-pass create bob');
  const other = await newPerson(stage);
  await other.page.goto(url);
  await other.page.click('#passkey-create');
  await other.page.waitForURL('**/setup/done');
  for (const passkey of await other.key.credentials()) await key.add(passkey);
  await key.present(false);
  await setMode(stage, bob, 'optional', shop.signIn({ acr_values: 'phr' }), '#login-continue');
  await review(page, 'second-factor-voluntary');
  await page.click('#login-continue');
  const token = await claims(shop.arrival(bob));
  assert.deepEqual(token.amr, ['pwd']);
});

test('a password session asked for phr is stepped up with the passkey', async () => {
  await setMode(stage, bob, 'passkey_first', shop.signIn({ acr_values: 'phr' }), 'body:not(:has(#login-continue))');
  await usePasskey(bob);
  const token = await claims(shop.arrival(bob));
  assert.equal(token.acr, 'phr');
  assert.ok(token.amr.includes('hwk') && token.amr.includes('mfa'), token.amr.join());
});

test('too many guesses, at a name nobody has: the page says how long, and a passkey still works', async () => {
  await bob.context.clearCookies();
  await key.present(false);
  await page.goto(`${stage.product.issuer}/login`);
  await page.fill('#username', 'nobody');
  await page.click('#login-submit');
  const told = page.locator('#notices [role=alert]');
  for (let guess = 1; guess < 60; guess += 1) {
    await page.fill('#password', `guess number ${guess}`);
    const answer = page.waitForResponse('**/login/password');
    await page.click('#login-submit');
    if ((await answer).status() === 429) break;
  }
  await told.filter({ hasText: 'Too many tries' }).waitFor();
  await review(page, 'login-throttled');
  await page.click('#login-restart');
  await usePasskey(bob);
  await page.waitForURL('**/account/security');
});

test('where the policy wants both, the password is the first of two factors', async () => {
  await setMode(stage, bob, 'password_then_passkey', shop.signIn(), '#password');
  await bob.context.clearCookies();
  await key.present(false);
  await page.goto(shop.signIn());
  await usePassword(bob, 'bob@example.org', PASSWORD);
  await page.waitForURL('**/login/second-factor?**');
  await page.locator('main').filter({ hasText: 'Your password is right' }).waitFor();
  await page.waitForSelector('#passkey-login');
  await review(page, 'second-factor');
  await usePasskey(bob);
  const token = await claims(shop.arrival(bob));
  assert.equal(token.acr, 'phr');
  assert.deepEqual([...token.amr].sort(), ['hwk', 'mfa', 'pop', 'pwd', 'user']);
});
