// A passkey in the midst of a sign-in: offered, put off, required; in browsers that can make none, and as an application demands.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApplication } from './support/application.mjs';
import { newPerson, plugIn, SYNCED, USB } from './support/browser.mjs';
import { setPolicy, usePasskey, usePassword } from './support/flows.mjs';
import { review } from './support/review.mjs';
import { openStage } from './support/stage.mjs';

const PASSWORD = 'a mast of four words';
const stage = await openStage();
const shop = await openApplication(stage, 'shop', '--consent skip');
await setPolicy(stage, 'enrolment=nudge:14 enrolment_requires=any');

/** A browser without WebAuthn, and one without JavaScript. */
const BROWSERS = [
  ['webauthn', {}, page => page.addInitScript(() => { delete globalThis.PublicKeyCredential; })],
  ['javascript', { javaScriptEnabled: false }, async () => {}],
];

/** Somebody new who signs in to an application by password; ends at the page that comes then. */
async function newcomer(name, { prepare = async () => {}, application = shop, ...profile } = {}) {
  await stage.command(`user create ${name} --password-stdin`, PASSWORD);
  const person = await newPerson(stage, profile);
  await prepare(person.page);
  await signIn(person, name, application);
  return person;
}

async function signIn(person, name, application = shop) {
  await person.key?.present(false);
  await person.context.clearCookies();
  await person.page.goto(application.signIn());
  await usePassword(person, name, PASSWORD);
}

const atEnrolment = page => page.waitForURL('**/login/enrol?**');

/** The way ends at the application, perhaps after a question. */
async function arrives(person, application = shop) {
  const { page } = person;
  await page.waitForSelector('#consent-allow, #beyond');
  if (await page.locator('#consent-allow').count()) await page.click('#consent-allow');
  return application.arrival(person);
}

/** Makes the passkey, signs in with it once, and goes on. */
async function makesIt(person, button, application) {
  await person.key.present(true);
  await person.page.click(button);
  await person.page.waitForURL('**/login/second-factor?**');
  await usePasskey(person);
  return arrives(person, application);
}

test('offered: not now, and then not again', async () => {
  const person = await newcomer('ada');
  const { page } = person;
  await atEnrolment(page);
  await page.waitForSelector('#passkey-create');
  await review(page, 'enrol-nudge');
  await page.click('#enrol-later');
  assert.ok((await arrives(person)).code);
  await signIn(person, 'ada');
  assert.ok((await arrives(person)).code);
  await person.context.close();
});

test('offered: made, and used from then on', async () => {
  const person = await newcomer('grace');
  await atEnrolment(person.page);
  const { claims } = await shop.redeem(await makesIt(person, '#passkey-create'));
  assert.equal(claims.acr, 'phr');
  assert.equal((await person.key.credentials()).length, 1);
  await person.context.close();
});

for (const [name, profile, prepare] of BROWSERS) {
  test(`offered in a browser without ${name}: it goes on`, async () => {
    const person = await newcomer(`without-${name}`, { key: null, prepare, ...profile });
    const { page } = person;
    await atEnrolment(page);
    assert.equal(await page.locator('#passkey-create').isVisible(), false);
    if (name === 'webauthn') await review(page, 'enrol-nudge-without-webauthn');
    await page.click('#enrol-later');
    assert.ok((await arrives(person)).code);
    await person.context.close();
  });
}

test('required, and its grace is over: there is no other way on', async () => {
  await setPolicy(stage, 'enrolment=required:0');
  const person = await newcomer('eve');
  const { page } = person;
  await atEnrolment(page);
  await page.getByText('A passkey is required here').waitFor();
  assert.equal(await page.locator('#enrol-later').count(), 0);
  await review(page, 'enrol-required');
  assert.ok((await makesIt(person, '#passkey-create')).code);
  await person.context.close();
});

for (const [name, profile, prepare] of BROWSERS) {
  test(`required in a browser without ${name}: it says so, and is not put off`, async () => {
    const person = await newcomer(`required-without-${name}`, { key: null, prepare, ...profile });
    const { page } = person;
    await atEnrolment(page);
    await page.getByText('A passkey is required here').waitFor();
    if (name === 'webauthn') {
      await page.locator('#notices [role=alert]').filter({ hasText: 'This browser cannot use passkeys' }).waitFor();
      await review(page, 'enrol-required-without-webauthn');
    } else {
      assert.match(await page.locator('noscript .notice').textContent(), /Passkeys need JavaScript/);
    }
    assert.equal(await page.locator('#passkey-create').isVisible(), false);
    assert.equal(await page.locator('#enrol-later').count(), 0);
    // Whoever asks again comes back here.
    await page.goto(shop.signIn());
    await atEnrolment(page);
    // The application can still be told.
    await page.click('#login-cancel');
    assert.equal((await shop.arrival(person)).error, 'access_denied');
    await person.context.close();
  });
}

test('an application that takes security keys alone: the passkey of the laptop leads to one', async () => {
  await setPolicy(stage, 'enrolment=off');
  const vault = await openApplication(stage, 'vault', '--consent skip --policy allowed_types=security_key --policy mode=passkey_only');
  await stage.command('user create joan');
  const person = await newPerson(stage, { key: SYNCED });
  const { page, key } = person;
  const { url } = await stage.command('access-pass create joan');
  await page.goto(url);
  await page.click('#passkey-create');
  await page.waitForURL('**/setup/done');
  await key.present(false);
  await page.goto(vault.signIn());
  await usePasskey(person);
  await atEnrolment(page);
  await page.getByText('vault only takes security keys').waitFor();
  await page.getByText('asks for a passkey of a kind that you do not have yet').waitFor();
  assert.equal(await page.locator('button[data-kind]').count(), 1);
  await review(page, 'enrol-demanded');
  await key.unplug();
  person.key = await plugIn(page, USB);
  assert.ok((await makesIt(person, '[data-kind=security-key]', vault)).code);
  const [made] = await person.key.credentials();
  assert.equal(made.userName, 'joan');
  await person.context.close();
});
