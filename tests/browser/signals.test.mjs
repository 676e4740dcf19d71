// Signals: what the authenticator calls its passkeys follows the account, and a dead one goes from its list.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPerson, plugIn, SYNCED, USB } from './support/browser.mjs';
import { setPolicy, signedInOwner } from './support/flows.mjs';
import { openStage } from './support/stage.mjs';

const stage = await openStage();
const ada = await newPerson(stage);
const { page, key: laptop } = ada;
await signedInOwner(stage, ada);

async function until(what, holds) {
  for (let tries = 0; tries < 100; tries++) {
    if (await holds()) return;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  assert.fail(what);
}

test('a new address is what the authenticator shows from then on', async () => {
  const shown = async () => (await laptop.credentials())[0].userName;
  assert.equal(await shown(), 'ada@example.org');
  await stage.command('user set ada --email countess@example.org');
  await page.goto(`${stage.product.issuer}/account/security`);
  await until('it is told', async () => await shown() === 'countess@example.org');
});

const row = words => page.locator('section[aria-labelledby=passkeys] .list > li').filter({ hasText: words });

/** Adds a passkey of a security key that is plugged in now. */
async function addStick() {
  await laptop.present(false);
  const stick = await plugIn(page, USB);
  await page.fill('#passkey-name', 'Stick');
  await page.click('#passkey-create-key');
  await page.waitForURL('**/account/security?added=1');
  return stick;
}

test('a passkey that was removed goes from its authenticator, and the others stay', async () => {
  const stick = await addStick();
  assert.equal((await stick.credentials()).length, 1);
  await row('Stick').getByRole('link', { name: 'Remove' }).click();
  await page.click('#passkey-remove');
  await page.waitForURL('**/account/security?removed=1');
  await until('it is told', async () => (await stick.credentials()).length === 0);
  assert.equal((await laptop.credentials()).length, 1);
  await stick.unplug();
});

test('a passkey that was refused when it was made is forgotten by its authenticator', async () => {
  await setPolicy(stage, 'deny_synced=true');
  const phone = await plugIn(page, { ...SYNCED, transport: 'hybrid' });
  await page.goto(`${stage.product.issuer}/account/security`);
  await page.click('#passkey-create-phone');
  await page.getByText('Passkeys that are synced between devices are not accepted here').waitFor();
  await until('it is forgotten', async () => (await phone.credentials()).length === 0);
  await phone.unplug();
  await setPolicy(stage, 'deny_synced=false');
});

test('where the removal ended the session, the passkey goes from the list when it is tried', async () => {
  await page.goto(`${stage.product.issuer}/account/security`);
  const stick = await addStick();
  // Else it would sign in by itself at the page that comes then.
  await stick.present(false);
  await row('Used for this session').getByRole('link', { name: 'Remove' }).click();
  await page.click('#passkey-remove');
  await page.waitForURL('**/login');
  await stick.unplug();
  // Nobody is signed in, to whom a list could be told.
  assert.equal((await laptop.credentials()).length, 1);
  await page.goto(`${stage.product.issuer}/login`);
  await page.waitForSelector('html[data-listening]');
  await laptop.present(true);
  await page.click('#passkey-login');
  await page.getByText('not known here').waitFor();
  await until('it is forgotten', async () => (await laptop.credentials()).length === 0);
});
