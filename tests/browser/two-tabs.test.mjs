// Two tabs of one browser, the back button and reloading: nobody is locked out, nothing breaks.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { newPerson, plugIn } from './support/browser.mjs';
import { claims, openDemo, signedInOwner } from './support/flows.mjs';
import { openStage } from './support/stage.mjs';

const stage = await openStage();
const ada = await newPerson(stage);
await signedInOwner(stage, ada);

// The other tab has a passkey of its own: two copies of one would look like a clone.
const other = { page: await ada.context.newPage() };
other.key = await plugIn(other.page);
await other.page.goto(`${stage.product.issuer}/account/security`);
await other.page.click('#passkey-create');
await other.page.waitForURL('**/account/security?added=1');
await openDemo(stage, ada);
const tabs = [ada, other];

/** Both tabs open an address, with authenticators that wait to be touched. */
async function open(address) {
  for (const { page, key } of tabs) {
    await key.present(false);
    await page.goto(address);
    await page.waitForSelector('#passkey-login');
  }
}

/** Presses the passkey button and gives the answer the browser ends at. */
async function finish({ page, key }) {
  await key.present(true);
  await page.click('#passkey-login');
  await page.waitForURL(url => url.origin === stage.product.demo);
  return page.locator('#id-token-claims, #error-page, #demo-sign-in').first().getAttribute('id');
}

beforeEach(() => ada.context.clearCookies());

test('both tabs begin a sign-in; both are answered', async () => {
  await open(`${stage.product.demo}/sign-in`);
  const errors = [];
  ada.context.on('response', answer => { if (answer.status() >= 500) errors.push(answer.url()); });
  const ends = [await finish(tabs[0]), await finish(tabs[1])];
  assert.deepEqual(errors, []);
  // The demo remembers one sign-in of a browser, the last that began: the other is told so.
  assert.ok(ends.includes('id-token-claims') || ends.includes('demo-sign-in'), ends.join());
  const session = await tabs[0].page.request.get(`${stage.product.issuer}/webauthn/session`);
  assert.equal((await session.json()).signed_in, true);
});

test('both tabs finish at the same moment; none gets a 5xx', async () => {
  const statuses = [];
  ada.context.on('response', answer => {
    if (answer.url().endsWith('/webauthn/authenticate')) statuses.push(answer.status());
  });
  await open(`${stage.product.issuer}/login`);
  for (const { key } of tabs) await key.present(true);
  await Promise.all(tabs.map(({ page }) => page.click('#passkey-login')));
  await Promise.all(tabs.map(({ page }) => Promise.race([
    page.waitForURL('**/account/security'), page.waitForSelector('#notices [role=alert]'),
  ])));
  assert.ok(statuses.includes(200) && statuses.every(status => status < 500), statuses.join());
  for (const { page } of tabs) {
    await page.goto(`${stage.product.issuer}/account/security`);
    assert.equal(new URL(page.url()).pathname, '/account/security');
  }
});

test('a page left open signs in after the other tab signed out', async () => {
  const [one, two] = tabs;
  await open(`${stage.product.issuer}/login`);
  await one.key.present(true);
  await one.page.click('#passkey-login');
  await one.page.waitForURL('**/account/security');
  await one.page.goto(`${stage.product.issuer}/logout`);
  await one.page.click('#logout-confirm');
  await one.page.waitForSelector('#logged-out');
  await two.key.present(true);
  await two.page.click('#passkey-login');
  await two.page.waitForURL('**/account/security');
});

test('reloading and going back ask for nothing that was given already', async () => {
  const { page, key } = ada;
  await key.present(false);
  await page.goto(stage.product.demo);
  await page.click('#demo-sign-in');
  await page.waitForSelector('#passkey-login');
  await page.reload();
  await page.waitForSelector('#passkey-login');
  await key.present(true);
  await page.click('#passkey-login');
  await page.waitForSelector('#id-token-claims');
  const first = await claims(page);
  await page.reload();
  await page.waitForSelector('#id-token-claims');
  await key.present(false);
  // Back to the sign-in page of a request that is done: it goes on by itself, without another ceremony.
  await page.goBack();
  await page.waitForURL(url => url.origin === stage.product.demo);
  await page.goto(stage.product.demo);
  assert.deepEqual(await claims(page), first);
});
