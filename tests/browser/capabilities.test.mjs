// The panel on the security page: what this browser can do with passkeys, each answered yes, no or not known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPerson } from './support/browser.mjs';
import { signedInOwner } from './support/flows.mjs';
import { review } from './support/review.mjs';
import { openStage } from './support/stage.mjs';

const stage = await openStage();
const ada = await newPerson(stage);
await signedInOwner(stage, ada);
const NAMES = ['device', 'synced', 'phone', 'key', 'autofill'];

/** The answers of the panel in a new page whose browser was changed by `script`. */
async function answers(script, argument) {
  const page = script ? await ada.context.newPage() : ada.page;
  if (script) await page.addInitScript(script, argument);
  await page.goto(`${stage.product.issuer}/account/security`);
  await page.waitForSelector('#capabilities-list');
  const said = Object.fromEntries(await Promise.all(NAMES.map(async name =>
    [name, await page.textContent(`#capability-${name}`)])));
  return { page, said };
}

const told = capabilities => {
  PublicKeyCredential.getClientCapabilities = async () => capabilities;
  Object.defineProperty(navigator, 'userAgentData', { value: { platform: 'Android' } });
};

test('a browser that can do everything', async () => {
  const all = {
    userVerifyingPlatformAuthenticator: true, passkeyPlatformAuthenticator: true, hybridTransport: true, conditionalGet: true,
  };
  const { page, said } = await answers(told, all);
  assert.deepEqual(said, { device: 'Yes', synced: 'Yes', phone: 'Yes', key: 'Yes', autofill: 'Yes' });
  await review(page, 'security-capabilities');
});

test('a browser that can do little', async () => {
  const none = {
    userVerifyingPlatformAuthenticator: false, passkeyPlatformAuthenticator: false, hybridTransport: false, conditionalGet: false,
  };
  const { said } = await answers(told, none);
  assert.deepEqual(said, { device: 'No', synced: 'No', phone: 'No', key: 'Yes', autofill: 'No' });
});

test('a browser from before there was a question', async () => {
  const { said } = await answers(() => {
    delete PublicKeyCredential.getClientCapabilities;
    PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable = async () => true;
    PublicKeyCredential.isConditionalMediationAvailable = async () => { throw new Error('not here'); };
    Object.defineProperty(navigator, 'userAgentData', { value: { platform: 'Windows' } });
  });
  assert.deepEqual(said, { device: 'Yes', synced: 'Not known', phone: 'Not known', key: 'Yes', autofill: 'Not known' });
});

test('a browser without passkeys', async () => {
  const { said } = await answers(() => { delete globalThis.PublicKeyCredential; });
  assert.deepEqual(said, { device: 'No', synced: 'No', phone: 'No', key: 'No', autofill: 'No' });
});

test('this very browser answers by itself', async () => {
  const { said } = await answers();
  assert.equal(said.device, 'Yes', 'the authenticator that is plugged in verifies its user');
  for (const answer of Object.values(said)) assert.match(answer, /^(Yes|No|Not known)$/);
});
