// An authenticator app beside a password, and the way back in with a recovery code.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { newPerson } from './support/browser.mjs';
import { signedInOwner, usePasskey, usePassword } from './support/flows.mjs';
import { review } from './support/review.mjs';
import { openStage } from './support/stage.mjs';

const PASSWORD = 'a mast of four words';
const stage = await openStage();
const ada = await newPerson(stage);
const { page } = ada;
const at = path => `${stage.product.issuer}${path}`;
let secret;
let codes;

/** RFC 6238, as an authenticator app does it; `ahead` in steps. */
function code(ahead = 0) {
  const digits = [...secret].map(c => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(digits.match(/.{8}/g).map(byte => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const mac = createHmac('sha1', key).update(step).digest();
  const value = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(value % 1_000_000).padStart(6, '0');
}

test('a passkey sets a password, with advice and without the old one', async () => {
  await signedInOwner(stage, ada);
  await review(page, 'security-other-ways');
  await page.click('a[href="/account/password"]');
  await review(page, 'account-password');
  await page.fill('#password', 'qwertyuiopasdfg');
  await page.click('#password-submit');
  await page.locator('#notices').filter({ hasText: 'easy to guess' }).waitFor();
  await review(page, 'account-password-advice');
  stage.forgive(/422/);
  await page.fill('#password', PASSWORD);
  await page.click('#password-submit');
  await page.locator('#notices').filter({ hasText: 'Password set' }).waitFor();
});

test('an authenticator app is set up by its first code', async () => {
  await page.click('a[href="/account/totp"]');
  await page.click('summary');
  secret = (await page.textContent('#totp-secret')).replaceAll(' ', '');
  await review(page, 'account-totp');
  await page.fill('#code', '000000');
  await page.click('#totp-submit');
  await page.locator('#notices').filter({ hasText: 'didn’t match' }).waitFor();
  stage.forgive(/401/);
  await page.fill('#code', code());
  await page.click('#totp-submit');
  await page.locator('#notices').filter({ hasText: 'Authenticator app added' }).waitFor();
  await review(page, 'security-with-app');
});

test('whoever has no passkey at hand signs in with password and code', async () => {
  const other = await newPerson(stage);
  await other.page.goto(at('/login'));
  await usePassword(other, 'ada', PASSWORD);
  await other.page.waitForSelector('#use-totp');
  await review(other.page, 'second-factor-or-app');
  await other.page.click('#use-totp');
  await review(other.page, 'login-totp');
  // The one that confirmed the app is used up; an app that is a little ahead shows the next.
  await other.page.fill('#code', code(1));
  await other.page.click('#login-submit');
  await other.page.waitForURL('**/account/security');
});

test('ten recovery codes are shown once', async () => {
  await page.goto(at('/account/recovery-codes'));
  await review(page, 'recovery-codes');
  await page.click('#codes-make');
  await page.waitForSelector('#recovery-codes');
  codes = await page.locator('#recovery-codes code').allTextContents();
  assert.equal(codes.length, 10);
  await review(page, 'recovery-codes-new');
  await page.click('#codes-done');
});

test('one code alone waits, and its owner stops it', async () => {
  const thief = await newPerson(stage);
  await thief.page.goto(at('/login'));
  await thief.page.click('#login-recovery');
  await review(thief.page, 'recovery-ask');
  await thief.page.fill('#username', 'ada');
  await thief.page.click('#recovery-submit');
  await thief.page.waitForSelector('#recovery-code');
  await review(thief.page, 'recovery-prove');
  await thief.page.fill('#recovery-code', codes[0]);
  await thief.page.click('#recovery-submit');
  await thief.page.waitForSelector('h1:has-text("A little patience")');
  await review(thief.page, 'recovery-wait');
  await page.goto(at('/account/security'));
  await review(page, 'security-recovery');
  await page.click('#recovery-cancel');
  await page.locator('#notices').filter({ hasText: 'It was stopped' }).waitFor();
});

test('where nothing waits, a code makes a new passkey, and that signs in', async () => {
  await stage.command('realm set recovery_wait_h=0');
  const lost = await newPerson(stage);
  let pathname;
  // Until the running product has taken the setting over.
  for (const code of codes.slice(1, 6)) {
    await lost.page.goto(at('/login/recovery?again=1'));
    await lost.page.fill('#username', 'ada');
    await lost.page.click('#recovery-submit');
    await lost.page.fill('#recovery-code', code);
    await lost.page.click('#recovery-submit');
    await Promise.race([lost.page.waitForSelector('#passkey-create'), lost.page.waitForSelector('h1:has-text("patience")')]);
    pathname = new URL(lost.page.url()).pathname;
    if (pathname === '/setup') break;
  }
  assert.equal(pathname, '/setup');
  await lost.page.click('#passkey-create');
  await lost.page.waitForURL('**/setup/done');
  await lost.key.present(false);
  await lost.page.click('#message-next');
  await usePasskey(lost);
  await lost.page.waitForURL('**/account/security');
});
