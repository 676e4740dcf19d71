// The account's security page: passkeys are added in three ways, named, renamed and removed; the last one is protected.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPerson, plugIn, SYNCED, USB } from './support/browser.mjs';
import { signedInOwner, usePasskey } from './support/flows.mjs';
import { openStage } from './support/stage.mjs';

const stage = await openStage();
const ada = await newPerson(stage, { key: USB });
const { page, key: stick } = ada;
await signedInOwner(stage, ada);

const row = name => page.locator('section[aria-labelledby=passkeys] .list > li').filter({ hasText: name });
const notice = words => page.locator('#notices [role=status], #notices [role=alert]').filter({ hasText: words }).waitFor();

/** What the browser was last asked to make. */
let options;
await page.route('**/webauthn/register/options', async route => {
  const response = await route.fetch();
  options = (await response.json()).publicKey;
  await route.fulfill({ response });
});

/** Adds a passkey by a button of the page. */
async function add(button, name) {
  await page.locator(button).waitFor();
  if (name) await page.fill('#passkey-name', name);
  await page.click(button);
}

test('the only passkey is protected, and the page says why', async () => {
  await notice('One step missing');
  assert.equal(await row('Security key').getByRole('link', { name: 'Remove' }).count(), 0);
  await page.getByText('Protected').click();
  await page.getByText('This is your last way in').waitFor();
});

test('a link made up to remove the last one is refused too', async () => {
  const id = await page.getAttribute('input[name=passkey]', 'value');
  await page.goto(`${stage.product.issuer}/account/security/remove?passkey=${id}`);
  await page.getByText('cannot be removed').waitFor();
  assert.equal(await page.locator('#passkey-remove').count(), 0);
  await page.goto(`${stage.product.issuer}/account/security`);
});

test('the device that is registered already is told apart', async () => {
  await add('#passkey-create-key', 'Twice');
  await notice('This one is already registered');
  assert.equal(await page.inputValue('#passkey-name'), 'Twice', 'what was typed is kept');
});

test('added on this device, with a name', async () => {
  ada.laptop = await plugIn(page, SYNCED);
  await add('#passkey-create', 'Laptop <b>&amp;');
  await page.waitForURL('**/account/security?added=1');
  assert.equal(options.authenticatorSelection.authenticatorAttachment, 'platform');
  await notice('“Laptop <b>&amp;” signs you in');
  await row('Laptop <b>&amp;').getByText('Synced').waitFor();
  await notice('Passkey added');
  assert.equal(await page.inputValue('#passkey-name'), '');
});

test('added on a phone', async () => {
  await stick.unplug();
  await ada.laptop.present(false);
  const phone = await plugIn(page, { transport: 'hybrid', ...SYNCED });
  await add('#passkey-create-phone', 'Phone');
  await row('Phone').waitFor();
  assert.deepEqual(options.hints, ['hybrid']);
  await phone.unplug();
});

test('added on a second security key, named by us', async () => {
  const second = await plugIn(page, USB);
  await add('#passkey-create-key');
  await row('Security key').nth(1).waitFor();
  assert.deepEqual(options.hints, ['security-key']);
  assert.equal(options.authenticatorSelection.authenticatorAttachment, 'cross-platform');
  await second.unplug();
});

test('renamed', async () => {
  await row('Phone').getByText('Rename').click();
  const field = row('Phone').getByLabel('New name');
  await field.fill('Old phone');
  await field.press('Enter');
  await notice('Passkey renamed');
  await row('Old phone').waitFor();
});

test('removed after a question', async () => {
  await row('Old phone').getByRole('link', { name: 'Remove' }).click();
  await page.waitForSelector('h1:has-text("Remove this passkey?")');
  await page.click('#passkey-remove');
  await notice('Passkey removed');
  assert.equal(await row('Old phone').count(), 0);
});

test('a sign-in older than five minutes is asked for again, and the name that was typed is still there', async () => {
  await stage.restart({ later: 6 });
  await page.goto(`${stage.product.issuer}/account/security`);
  await add('#passkey-create-key', 'Spare');
  await page.waitForURL('**/login?again=1');
  await page.waitForSelector('h1:has-text("Confirm that it’s you")');
  await ada.laptop.present(true);
  await page.click('#passkey-login');
  await page.waitForURL('**/account/security');
  await page.waitForFunction(() => document.getElementById('passkey-name').value === 'Spare');
  await stage.restart({ later: 12 });
  await ada.laptop.present(false);
  await row('Laptop').getByRole('link', { name: 'Remove' }).click();
  await page.waitForURL('**/login?again=1');
});

test('removing the passkey that signed in ends this session', async () => {
  await usePasskey({ page, key: ada.laptop });
  await page.waitForURL('**/account/security');
  await row('Laptop').getByText('Used for this session').waitFor();
  await row('Laptop').getByRole('link', { name: 'Remove' }).click();
  await ada.laptop.present(false);
  await page.click('#passkey-remove');
  await page.waitForURL('**/login');
});
