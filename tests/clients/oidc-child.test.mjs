// Debian's sssd-idp: oidc_child, with which a Linux login asks for a code to be typed into a browser. It speaks https only.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { suite, test } from 'node:test';
import { newPerson, SYNCED } from '../browser/support/browser.mjs';
import { signedInOwner, usePasskey } from '../browser/support/flows.mjs';
import { openStage } from '../browser/support/stage.mjs';
import { startOver, SYNCED_AMR } from './support/people.mjs';
import { behindTls } from './support/tls.mjs';

const stage = await openStage();
const ada = await newPerson(stage, { key: SYNCED });
await signedInOwner(stage, ada);
const { page } = ada;
const { client_secret: secret } = await stage.command('client create sssd --name sssd --secret-post --grant device-code');
const { origin, certificate } = await behindTls(stage.product.issuer);

/** Runs it as sssd does; gives what it prints and, from its log, what it was answered. */
function oidcChild(task, input) {
  const words = [task, '--client-id=sssd', '--client-secret-stdin', '--scope=openid profile', `--ca-db=${certificate}`,
    `--device-auth-endpoint=${origin}/device_authorization`, `--token-endpoint=${origin}/token`,
    `--userinfo-endpoint=${origin}/userinfo`, `--jwks-uri=${origin}/.well-known/jwks.json`,
    '--user-identifier-attribute=preferred_username', '--logger=stderr', '--debug-level=9'];
  return new Promise(resolve => {
    const child = execFile('/usr/libexec/sssd/oidc_child', words, (error, printed, log) => resolve({ error, printed, log }));
    child.stdin.end(input);
  });
}

/** Begins a sign-in on the device. */
async function begin() {
  const { error, printed, log } = await oidcChild('--get-device-code', secret);
  assert.equal(error, null, log);
  const [kept, shown] = printed.split('\noauth2 ');
  return { kept, shown: JSON.parse(shown) };
}
const wait = ({ kept }) => oidcChild('--get-access-token', `${secret}\n${kept}`);

suite('oidc_child of sssd', () => {
  test('a code, allowed with a passkey in the browser, signs in on the device', async () => {
    const device = await begin();
    await startOver(ada);
    await page.goto(device.shown.verification_uri);
    await page.fill('#device-code', device.shown.user_code);
    await page.click('#device-submit');
    await usePasskey(ada);
    const waiting = wait(device);
    await page.click('#device-allow');
    const { printed, log } = await waiting;
    assert.equal(printed.trim(), 'ada', log);
    assert.doesNotMatch(log, /Failed to verify id_token/);
    const token = JSON.parse(log.match(/id_token payload: \[(\{.*\})\]/)[1]);
    // Whoever allows a code may have been talked into it: never phr.
    assert.equal(token.acr, 'https://refeds.org/profile/mfa');
    assert.deepEqual([...token.amr].sort(), ['mca', ...SYNCED_AMR].sort());
  });

  test('who says no is not signed in', async () => {
    const device = await begin();
    await page.goto(device.shown.verification_uri_complete);
    await page.click('#device-submit');
    await page.click('#device-deny');
    const { printed, error, log } = await wait(device);
    assert.equal(printed, '');
    assert.equal(error.code, 1);
    assert.match(log, /\[access_denied\]/);
  });
});
