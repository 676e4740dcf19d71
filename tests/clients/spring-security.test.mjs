// Spring Security in a Spring Boot application that knows nothing but the issuer.
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { suite, test } from 'node:test';
import { newPerson, SYNCED } from '../browser/support/browser.mjs';
import { signedInOwner, usePassword } from '../browser/support/flows.mjs';
import { openStage } from '../browser/support/stage.mjs';
import { PASSWORD, signInAndAllow, startOver, SYNCED_AMR, withPassword } from './support/people.mjs';
import { freePort, start } from './support/serve.mjs';

const stage = await openStage();
const ada = await newPerson(stage, { key: SYNCED });
await signedInOwner(stage, ada);

const port = await freePort();
const url = `http://localhost:${port}`;
const { client_secret: secret } = await stage.command('client create spring --name spring --alg RS256 '
  + `--redirect-uri ${url}/login/oauth2/code/idp --post-logout-redirect-uri ${url}/bye`);
const settings = {
  'server.port': port,
  'server.address': '127.0.0.1',
  'spring.security.oauth2.client.registration.idp.client-id': 'spring',
  'spring.security.oauth2.client.registration.idp.client-secret': secret,
  'spring.security.oauth2.client.registration.idp.scope': 'openid,profile,email',
  'spring.security.oauth2.client.provider.idp.issuer-uri': stage.product.issuer,
};
await start(`${url}/bye`, ['java', '-XX:TieredStopAtLevel=1', '-jar', process.env.IDP_TEST_SPRING], {
  cwd: tmpdir(), env: { PATH: process.env.PATH, SPRING_APPLICATION_JSON: JSON.stringify(settings) },
});

/** What the application learnt. */
async function learnt({ page }) {
  await page.waitForURL(`${url}/?continue`);
  return JSON.parse(await page.textContent('body'));
}

suite('Spring Security', () => {
  test('signs in with a passkey', async () => {
    await startOver(ada);
    await ada.page.goto(`${url}/`);
    await signInAndAllow(ada);
    const { id_token: token, userinfo } = await learnt(ada);
    assert.equal(token.acr, 'phr');
    assert.deepEqual([...token.amr].sort(), SYNCED_AMR);
    assert.equal(userinfo.sub, token.sub);
    assert.equal(userinfo.preferred_username, 'ada');
  });

  test('a password says so', async () => {
    const bob = await withPassword(stage, 'bob');
    await bob.page.goto(`${url}/`);
    await usePassword(bob, 'bob', PASSWORD);
    await bob.page.click('#consent-allow');
    const { id_token: token } = await learnt(bob);
    assert.deepEqual(token.amr, ['pwd']);
    assert.notEqual(token.acr, 'phr');
  });

  test('signs out at the provider', async () => {
    await ada.page.goto(`${url}/logout`);
    await ada.page.click('button[type=submit]');
    await ada.page.waitForURL(`${url}/bye`);
    await ada.key.present(false);
    await ada.page.goto(`${url}/`);
    await ada.page.waitForSelector('#passkey-login');
  });
});
