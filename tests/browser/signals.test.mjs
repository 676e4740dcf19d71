// Signals: what the authenticator calls its passkeys follows the account, and a dead one goes from its list.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPerson, plugIn, USB } from './support/browser.mjs';
import { signedInOwner } from './support/flows.mjs';
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

test('a passkey that was removed goes from the list of the authenticator when it is tried', async () => {
  await laptop.present(false);
  const stick = await plugIn(page, USB);
  await page.fill('#passkey-name', 'Stick');
  await page.click('#passkey-create-key');
  await page.waitForURL('**/account/security?added=1');
  const [dead] = await laptop.credentials();
  await page.locator('section[aria-labelledby=passkeys] .list > li').filter({ hasText: 'Used for this session' }).getByRole('link', { name: 'Remove' }).click();
  await page.click('#passkey-remove');
  await page.waitForURL('**/login');
  await stick.unplug();
  // Perhaps the signal after the removal took it away already; it is as if it came back from a backup.
  if (!(await laptop.credentials()).length) await laptop.add({ ...dead, signCount: dead.signCount + 10 });
  await page.goto(`${stage.product.issuer}/login`);
  await page.waitForSelector('html[data-listening]');
  await laptop.present(true);
  await page.click('#passkey-login');
  await page.getByText('not known here').waitFor();
  await until('it is forgotten', async () => (await laptop.credentials()).length === 0);
});
