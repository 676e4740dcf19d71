// Sign-up with a passkey and traits, by the schema of the realm; then the profile and a verified address.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openApplication } from './support/application.mjs';
import { newPerson, SYNCED } from './support/browser.mjs';
import { mailedCode, usePasskey } from './support/flows.mjs';
import { review } from './support/review.mjs';
import { openStage } from './support/stage.mjs';

const stage = await openStage();
const ada = await newPerson(stage, { key: SYNCED });
const { page, key } = ada;
const shop = await openApplication(stage, 'shop');

const text = (title, more) => ({ type: 'string', title, ...more });
const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    email: text('Email address', { format: 'email', 'ory.sh/kratos': {
      credentials: { passkey: { display_name: true } }, verification: { via: 'email' }, recovery: { via: 'email' },
    } }),
    name: { type: 'object', properties: {
      first: text('First name', { idp: { claim: 'given_name', order: -2 } }),
      last: text('Last name', { minLength: 2, idp: { claim: 'family_name', order: -1 } }),
    }, required: ['last'] },
    team: { enum: ['Kitchen', 'Hall'], title: 'Team' },
    size: { type: 'integer', title: 'Shoe size', minimum: 30, description: 'For the safety shoes.' },
    news: { type: 'boolean', title: 'Send me the newsletter' },
    terms: { type: 'boolean', const: true, title: 'I agree to the rules of the house' },
  },
  required: ['email', 'name', 'terms'],
};

const open = async () => {
  const file = join(stage.data, 'schema.json');
  await writeFile(file, JSON.stringify(schema));
  await stage.command(`realm schema set ${file}`);
  await stage.command('realm set self_registration=open');
  // The running product takes it over within a moment.
  do await page.goto(shop.signIn()); while (!await page.locator('#login-sign-up').count());
};

test('a newcomer gets from the application to the form', async () => {
  await key.present(false);
  await open();
  await review(page, 'login-new');
  await page.click('#login-sign-up');
  await page.waitForSelector('#sign-up-submit');
  assert.equal(await page.locator('#username').count(), 0, 'everybody has an address');
  await review(page, 'sign-up');
});

test('what does not fit is said beside its field, and nothing typed is lost', async () => {
  await page.fill('#traits-email', 'ada@example.org');
  await page.fill('#traits-name-first', 'Ada');
  await page.fill('#traits-name-last', 'Lovelace');
  await page.selectOption('#traits-team', 'Hall');
  await page.fill('#traits-size', '38');
  // What the browser itself would refuse: the server does, too.
  await page.evaluate(() => { document.querySelector('form:has(#traits-email)').noValidate = true; });
  await page.fill('#traits-size', '3');
  await page.click('#sign-up-submit');
  await page.waitForSelector('#traits-size-problem');
  assert.match(await page.textContent('#traits-size-problem'), /at least 30/);
  assert.match(await page.textContent('#traits-terms-problem'), /needed|true/);
  assert.equal(await page.inputValue('#traits-name-last'), 'Lovelace');
  await review(page, 'sign-up-wrong');
  await page.fill('#traits-size', '38');
  await page.check('#traits-terms');
  await page.click('#sign-up-submit');
  await page.waitForSelector('#passkey-create');
  await review(page, 'sign-up-passkey');
});

test('account and passkey are made at once; it signs in once and the application gets its answer', async () => {
  await key.present(true);
  // Else the autofill of the next page signs in before anybody has looked at it.
  const options = '**/webauthn/authenticate/options';
  await page.route(options, () => {});
  await page.click('#passkey-create');
  await page.waitForURL('**/login?**signed-up=1**');
  const [passkey] = await key.credentials();
  assert.equal(passkey.userName, 'ada@example.org');
  await key.present(false);
  await review(page, 'login-signed-up');
  await page.unroute(options);
  await page.reload();
  await usePasskey(ada);
  await page.click('#consent-allow');
  assert.ok((await shop.arrival(ada)).code, 'the application has its code');
  const user = await stage.command('user show ada@example.org');
  assert.deepEqual([user.claims.given_name, user.claims.email_verified ?? false, user.role], ['Ada', false, 'user']);
  assert.deepEqual(user.claims.traits, { size: 38, team: 'Hall', terms: true });
});

test('the same address a second time is told to sign in instead', async () => {
  const eve = await newPerson(stage, { key: SYNCED });
  await eve.page.goto(`${stage.product.issuer}/signup`);
  await eve.page.fill('#traits-email', 'Ada@example.org');
  await eve.page.fill('#traits-name-last', 'Eve');
  await eve.page.check('#traits-terms');
  await eve.page.click('#sign-up-submit');
  await eve.page.waitForSelector('#traits-email-problem');
  assert.match(await eve.page.textContent('#traits-email-problem'), /sign in instead/);
  await eve.context.close();
});

test('the profile is changed, and the address verified by a mailed code', async () => {
  await page.goto(`${stage.product.issuer}/account`);
  await page.waitForSelector('#profile-save');
  await review(page, 'profile');
  await page.fill('#traits-name-first', 'Augusta');
  await page.click('#profile-save');
  await page.waitForURL('**/account?saved=1');
  assert.equal(await page.inputValue('#traits-name-first'), 'Augusta');
  await page.click('#email-code');
  await page.waitForSelector('#code');
  await review(page, 'profile-code');
  await page.fill('#code', await mailedCode(stage, 'ada@example.org', /\b([A-Z]{4}-[A-Z]{4})\b/));
  await page.click('#email-verify');
  await page.waitForURL('**/account?verified=1');
  assert.match(await page.textContent('main'), /Your address is verified/);
  const user = await stage.command('user show ada@example.org');
  assert.equal(user.claims.email_verified, true);
});
