// PyPI's Authlib in a Flask application: confidential, with PKCE.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { newPerson, SYNCED } from '../browser/support/browser.mjs';
import { signedInOwner, usePasskey, usePassword } from '../browser/support/flows.mjs';
import { openStage } from '../browser/support/stage.mjs';
import { PASSWORD, signInAndAllow, startOver, SYNCED_AMR, withPassword } from './support/people.mjs';
import { freePort, start } from './support/serve.mjs';

const stage = await openStage();
const ada = await newPerson(stage, { key: SYNCED });
await signedInOwner(stage, ada);

const port = await freePort();
const url = `http://localhost:${port}`;
const { client_secret: secret } = await stage.command(
  `client create flask --name flask --redirect-uri ${url}/callback --post-logout-redirect-uri ${url}/bye`);
await start(`${url}/bye`, [process.env.IDP_TEST_PYTHON, '-m', 'flask', '--app', 'application', 'run', '--port', port], {
  cwd: fileURLToPath(new URL('authlib', import.meta.url)),
  env: { ...process.env, ISSUER: stage.product.issuer, CLIENT_ID: 'flask', CLIENT_SECRET: secret, PYTHONDONTWRITEBYTECODE: '1' },
});

const begin = ({ page }, asked = '') => page.goto(`${url}/sign-in?${asked}`);
async function end({ page }) {
  await page.waitForURL(`${url}/callback?**`);
  return JSON.parse(await page.textContent('body'));
}
let first;

suite('Authlib', () => {
  test('signs in with a passkey', async () => {
    await startOver(ada);
    await begin(ada, 'acr_values=phr');
    await signInAndAllow(ada);
    first = await end(ada);
    assert.equal(first.claims.acr, 'phr');
    assert.deepEqual([...first.claims.amr].sort(), SYNCED_AMR);
    assert.equal(first.userinfo.sub, first.claims.sub);
    assert.equal(first.userinfo.preferred_username, 'ada');
  });

  test('single sign-on tells the same auth_time, max_age=0 a newer one', async () => {
    await begin(ada);
    assert.equal((await end(ada)).claims.auth_time, first.claims.auth_time);
    await ada.page.waitForFunction(second => Date.now() / 1000 >= second + 1, first.claims.auth_time);
    await ada.key.present(false);
    await begin(ada, 'max_age=0');
    await usePasskey(ada);
    assert.ok((await end(ada)).claims.auth_time > first.claims.auth_time);
  });

  test('a password says so, and phr is not claimed', async () => {
    const bob = await withPassword(stage, 'bob');
    await begin(bob, 'acr_values=phr');
    await usePassword(bob, 'bob', PASSWORD);
    await bob.page.click('#consent-allow');
    const { claims } = await end(bob);
    assert.deepEqual(claims.amr, ['pwd']);
    assert.notEqual(claims.acr, 'phr');
  });

  test('signs out; a silent sign-in is then refused', async () => {
    await ada.page.goto(`${url}/sign-out`);
    await ada.page.waitForURL(`${url}/bye**`);
    await begin(ada, 'prompt=none');
    assert.equal((await end(ada)).error, 'login_required');
  });
});
