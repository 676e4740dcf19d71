// Somebody with a password: offered a passkey, confirmed by a code from the mail, and signed in with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApplication } from './support/application.mjs';
import { newPerson } from './support/browser.mjs';
import { mailedCode, usePasskey, usePassword } from './support/flows.mjs';
import { review } from './support/review.mjs';
import { openStage } from './support/stage.mjs';

const PASSWORD = 'a mast of four words';
const stage = await openStage();
const eve = await newPerson(stage);
const { page, key } = eve;
const shop = await openApplication(stage, 'shop');
await stage.command('user create eve --email eve@example.org --email-verified --password-stdin', PASSWORD);
await stage.command('user create dan --email dan@example.org --email-verified --password-stdin', PASSWORD);
const EIGHT_DIGITS = /^\s*(\d{8})\s*$/m;

test('after a password sign-in a passkey is offered, by a code that is mailed', async () => {
  await key.present(false);
  await page.goto(shop.signIn({}));
  await usePassword(eve, 'eve', PASSWORD);
  await page.waitForSelector('#mailed-code-send');
  assert.match(await page.textContent('#mailed-code-send'), /e…@example\.org/);
  await review(page, 'enrol-code');
  await page.click('#mailed-code-send');
  await page.waitForSelector('#mailed-code');
  await review(page, 'enrol-code-sent');
  await page.fill('#mailed-code', '00000001');
  await page.click('#mailed-code-submit');
  await page.locator('#notices [role=alert]').filter({ hasText: 'didn’t match' }).waitFor();
  stage.forgive(/401/);
  await review(page, 'enrol-code-wrong');
});

test('the right code shows the ways to make it, and the new passkey signs in', async () => {
  await page.fill('#mailed-code', await mailedCode(stage, 'eve@example.org', EIGHT_DIGITS));
  await page.click('#mailed-code-submit');
  await page.waitForSelector('#passkey-create:visible');
  await review(page, 'enrol-code-confirmed');
  await key.present(true);
  await page.click('#passkey-create');
  await page.waitForSelector('#passkey-login');
  await usePasskey(eve);
  if (await page.waitForSelector('#consent-allow', { timeout: 3000 }).catch(() => null)) await page.click('#consent-allow');
  const { claims } = await shop.redeem(await shop.arrival(eve));
  assert.equal(claims.acr, 'phr');
});

test('in the account the first passkey is confirmed by a code, too', async () => {
  const dan = await newPerson(stage);
  await dan.key.present(false);
  await dan.page.goto(`${stage.product.issuer}/login`);
  await usePassword(dan, 'dan', PASSWORD);
  await dan.page.click('#enrol-later');
  await dan.page.waitForURL('**/account/security');
  await review(dan.page, 'security-code');
  await dan.page.click('#mailed-code-send');
  await dan.page.waitForSelector('#mailed-code');
  await review(dan.page, 'security-code-sent');
  await dan.page.fill('#mailed-code', await mailedCode(stage, 'dan@example.org', EIGHT_DIGITS));
  await dan.page.click('#mailed-code-submit');
  await dan.page.waitForSelector('#passkey-create:visible');
  await dan.key.present(true);
  await dan.page.click('#passkey-create');
  await dan.page.waitForURL('**/account/security?added=1');
});

test('the last way in goes where a mailed code brings back, and the page says so before the click', async () => {
  await page.goto(`${stage.product.issuer}/account/password`);
  await page.click('#password-remove');
  await page.waitForURL('**/account/security?password=removed');
  await page.click('a[href*="/account/security/remove"]');
  await page.getByText('only by a code mailed to eve@example.org').waitFor();
  await review(page, 'remove-last');
  await key.present(false);
  await page.click('#passkey-remove');
  await page.waitForSelector('#username');
});
