// Automatic upgrade: a passkey made without a dialogue after a sign-in by password, and nobody who waits for one.
// Chromium says that it can create conditionally, but its virtual authenticators never answer that; so where a passkey is
// made here, `mediation` is left out on its way to the browser, and the rest is real.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPerson, SYNCED } from './support/browser.mjs';
import { usePasskey, usePassword } from './support/flows.mjs';
import { openApplication } from './support/application.mjs';
import { review } from './support/review.mjs';
import { openStage } from './support/stage.mjs';

const PASSWORD = 'a mast of four words';
const stage = await openStage();
await stage.command('policy set automatic_upgrade=true enrolment=off enrolment_requires=any');
await stage.restart();
const shop = await openApplication(stage, 'shop');
let people = 0;

/** Somebody with a password, in front of the sign-in; `asked` counts how often the server was asked for options. */
async function somebody(options, script) {
  const person = await newPerson(stage, options);
  person.name = `eve${people += 1}`;
  person.asked = 0;
  await stage.command(`user create ${person.name} --email ${person.name}@example.org --password-stdin`, PASSWORD);
  if (script) await person.context.addInitScript(script);
  person.page.on('request', request => { person.asked += request.url().endsWith('/webauthn/register/options'); });
  return person;
}

/** Signs in for no application; how long the page took to go on, in milliseconds. */
async function goesOn(person) {
  await person.context.clearCookies({ name: /-session$/ });
  await person.page.goto(`${stage.product.issuer}/login`);
  const answered = person.page.waitForResponse('**/login/password').then(() => performance.now());
  await usePassword(person, person.name, PASSWORD);
  const begun = await answered;
  await person.page.waitForURL('**/account/security');
  return performance.now() - begun;
}

function tellsItCannot() {
  PublicKeyCredential.getClientCapabilities = async () => ({ conditionalCreate: false });
}

function hasNoWebAuthn() {
  delete globalThis.PublicKeyCredential;
}

function asksItself() {
  const create = navigator.credentials.create.bind(navigator.credentials);
  navigator.credentials.create = ({ mediation, ...options }) => {
    sessionStorage.setItem('mediation', mediation);
    return create(options);
  };
}

for (const [what, script] of [['says that it cannot', tellsItCannot], ['has no WebAuthn', hasNoWebAuthn]]) {
  test(`a browser that ${what} goes on at once, and asks the server for nothing`, async () => {
    const person = await somebody({ key: null }, script);
    assert.ok(await goesOn(person) < 1500);
    assert.equal(person.asked, 0);
  });
}

test('a browser without scripts goes on at once', async () => {
  const person = await somebody({ key: null, javaScriptEnabled: false });
  assert.ok(await goesOn(person) < 1500);
});

test('a browser that declines goes on at once, and is not asked at the next sign-in', async () => {
  const person = await somebody({ key: null });
  assert.ok(await goesOn(person) < 1500);
  assert.equal(person.asked, 1);
  await goesOn(person);
  assert.equal(person.asked, 1);
});

test('an authenticator that does not answer is waited for two seconds', async () => {
  const person = await somebody({ key: SYNCED });
  const took = await goesOn(person);
  assert.ok(took > 1500 && took < 3500, `${took} ms`);
  assert.equal(person.asked, 1);
  assert.deepEqual(await person.key.credentials(), []);
});

test('the page without its script has a link that goes on', async () => {
  const person = await somebody({ key: null });
  const { page } = person;
  await page.route('**/upgrade*.js*', route => route.fulfill({ contentType: 'text/javascript', body: '' }));
  await page.goto(`${stage.product.issuer}/login`);
  await usePassword(person, person.name, PASSWORD);
  await page.waitForSelector('#go-on');
  await review(page, 'go-on-upgrade');
  await page.click('#go-on');
  await page.waitForURL('**/account/security');
});

test('a passkey is made, the sign-in goes on to its application, and the next one is by the passkey', async () => {
  const person = await somebody({ key: SYNCED }, asksItself);
  const { page, key } = person;
  await key.present(false);
  await page.goto(shop.signIn());
  await page.fill('#username', person.name);
  await page.click('#login-submit');
  await page.fill('#password', PASSWORD);
  await page.waitForSelector('html[data-listening]');
  await key.present(true);
  await page.click('#login-submit');
  await page.click('#consent-allow');
  const { claims } = await shop.redeem(await shop.arrival(person));
  assert.deepEqual(claims.amr, ['pwd']);
  assert.equal((await key.credentials()).length, 1);
  await page.goto(`${stage.product.issuer}/account/security`);
  assert.equal(await page.evaluate(() => sessionStorage.getItem('mediation')), 'conditional');
  assert.equal(await page.locator('section[aria-labelledby=passkeys] .list > li').count(), 1);
  await key.present(false);
  await person.context.clearCookies({ name: /-session$/ });
  await page.goto(shop.signIn());
  await usePasskey(person);
  const next = await shop.redeem(await shop.arrival(person));
  assert.equal(next.claims.acr, 'phr');
});

test('a sign-in without an application is nudged on the same page, and "not now" leads to the account', async () => {
  await stage.command('policy set automatic_upgrade=false enrolment=nudge:14');
  await stage.restart();
  const person = await somebody({});
  const { page } = person;
  await page.goto(`${stage.product.issuer}/login`);
  await usePassword(person, person.name, PASSWORD);
  await page.waitForURL('**/login/enrol');
  await review(page, 'enrol-nudge-alone');
  await page.click('#enrol-later');
  await page.waitForURL('**/account/security');
});
