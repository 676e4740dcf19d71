// A device without a browser: its code is entered, its owner signs in by passkey and allows it (RFC 8628).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPerson, SYNCED } from './support/browser.mjs';
import { signedInOwner, usePasskey } from './support/flows.mjs';
import { review } from './support/review.mjs';
import { openStage } from './support/stage.mjs';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const stage = await openStage();
const { issuer } = stage.product;
const ada = await newPerson(stage, { key: SYNCED });
const { page, key } = ada;
await signedInOwner(stage, ada);
await stage.command('client create tv --name Television --public --grant device-code --grant refresh-token');

async function call(path, fields) {
  const answer = await fetch(issuer + path, { method: 'POST', body: new URLSearchParams({ client_id: 'tv', ...fields }) });
  return answer.json();
}
const begin = () => call('/device_authorization', { scope: 'openid email' });
const poll = device => call('/token', { grant_type: GRANT, device_code: device.device_code });

test('the code is entered, a fresh passkey used, and the device gets its tokens', async () => {
  const device = await begin();
  await page.goto(device.verification_uri);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'device-code');
  await review(page, 'device');
  await page.fill('#device-code', 'BBBB BBBB');
  await page.click('#device-submit');
  await page.locator('#notices [role=alert]').waitFor();
  await review(page, 'device-wrong-code');
  await key.present(false);
  await page.fill('#device-code', device.user_code.toLowerCase());
  await page.keyboard.press('Enter');
  await usePasskey(ada);
  await page.waitForSelector('#device-allow');
  assert.match(await page.textContent('main'), new RegExp(`Television[^]*${device.user_code}[^]*127\\.0\\.0\\.1`));
  await review(page, 'device-confirm');
  assert.equal((await poll(device)).error, 'authorization_pending');
  await page.click('#device-allow');
  await page.getByRole('heading', { name: 'Your device is connected' }).waitFor();
  await review(page, 'device-allowed');
  const tokens = await poll(device);
  const claims = JSON.parse(Buffer.from(tokens.id_token.split('.')[1], 'base64url'));
  assert.equal(claims.acr, 'https://refeds.org/profile/mfa');
  assert.deepEqual(claims.amr, ['swk', 'pop', 'user', 'mfa', 'mca']);
});

test('an address with the code only fills it in, and a no is heard', async () => {
  const device = await begin();
  await page.goto(device.verification_uri_complete);
  assert.equal(await page.inputValue('#device-code'), device.user_code);
  await key.present(false);
  await page.click('#device-submit');
  await usePasskey(ada);
  await page.click('#device-deny');
  await page.getByRole('heading', { name: 'The device was not allowed' }).waitFor();
  await review(page, 'device-denied');
  assert.equal((await poll(device)).error, 'access_denied');
});

test('a link to the last page does nothing where the code was not entered', async () => {
  const device = await begin();
  const bob = await newPerson(stage, { key: null });
  await bob.page.goto(device.verification_uri_complete);
  await bob.page.click('#device-submit');
  await bob.page.waitForSelector('#login-submit');
  const request = await bob.page.inputValue('input[name=request]');
  await page.goto(`${issuer}/device/confirm?request=${request}`);
  await page.waitForSelector('#error-page');
  await review(page, 'error-not-entered');
  await page.getByRole('link', { name: 'Enter a code' }).click();
  await page.waitForSelector('#device-code');
});

test('without JavaScript: password, code, answer', async () => {
  const password = 'a mast of four words';
  await stage.command('user create eve --email eve@example.org --password-stdin', password);
  const eve = await newPerson(stage, { key: null, javaScriptEnabled: false });
  const device = await begin();
  await eve.page.goto(device.verification_uri);
  await eve.page.fill('#device-code', device.user_code);
  await eve.page.click('#device-submit');
  await eve.page.fill('#username', 'eve');
  await eve.page.click('#login-submit');
  await eve.page.fill('#password', password);
  await eve.page.click('#login-submit');
  await eve.page.click('#device-allow');
  await eve.page.getByRole('heading', { name: 'Your device is connected' }).waitFor();
  assert.ok((await poll(device)).access_token);
});
