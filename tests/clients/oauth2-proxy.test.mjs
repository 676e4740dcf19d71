// oauth2-proxy in front of an application that only reads the ID token it is given.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { newPerson, SYNCED } from '../browser/support/browser.mjs';
import { signedInOwner, usePasskey, usePassword } from '../browser/support/flows.mjs';
import { openStage } from '../browser/support/stage.mjs';
import { PASSWORD, signInAndAllow, startOver, SYNCED_AMR, withPassword } from './support/people.mjs';
import { freePort, serve, start } from './support/serve.mjs';

const stage = await openStage();
const ada = await newPerson(stage, { key: SYNCED });
await signedInOwner(stage, ada);

const behind = await serve(({ headers }, response) => {
  const [, , claims] = headers.authorization.split(/[ .]/);
  const token = JSON.parse(Buffer.from(claims, 'base64url'));
  response.writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ token, user: headers['x-forwarded-user'], email: headers['x-forwarded-email'] }));
});
const port = await freePort();
const url = `http://localhost:${port}`;
const { client_secret: secret } = await stage.command(`client create proxy --name proxy --redirect-uri ${url}/oauth2/callback `
  + `--post-logout-redirect-uri ${url}/ping`);
const proxy = await start(`${url}/ping`, [process.env.IDP_TEST_OAUTH2_PROXY, '--provider=oidc',
  `--oidc-issuer-url=${stage.product.issuer}`, '--client-id=proxy', '--code-challenge-method=S256', '--acr-values=phr',
  '--skip-provider-button', '--pass-authorization-header', `--http-address=127.0.0.1:${port}`, `--upstream=${behind}`,
  `--redirect-url=${url}/oauth2/callback`, '--email-domain=*', '--cookie-secure=false',
  `--whitelist-domain=${new URL(stage.product.issuer).host}`,
], { env: { OAUTH2_PROXY_CLIENT_SECRET: secret, OAUTH2_PROXY_COOKIE_SECRET: secret.slice(0, 32) } });

/** What the application behind the proxy is told. */
async function told({ page }) {
  await page.waitForURL(`${url}/application`);
  return JSON.parse(await page.textContent('body'));
}

suite('oauth2-proxy', () => {
  test('an address that is not verified does not pass', async () => {
    await startOver(ada);
    await ada.page.goto(`${url}/application`);
    await signInAndAllow(ada);
    await ada.page.waitForURL(`${url}/oauth2/callback?**`);
    await ada.page.getByText('500').waitFor();
    assert.match(proxy.log(), /email in id_token \(ada@example.org\) isn't verified/);
    await ada.page.goto('about:blank');
    stage.forgive(/oauth2\/callback.* status of 500/);
  });

  test('signs in with a passkey', async () => {
    await stage.command('user set ada --email-verified');
    await startOver(ada);
    await ada.page.goto(`${url}/application`);
    await usePasskey(ada);
    const { token, user, email } = await told(ada);
    assert.equal(token.acr, 'phr');
    assert.deepEqual([...token.amr].sort(), SYNCED_AMR);
    assert.equal(user, token.sub);
    assert.equal(email, 'ada@example.org');
  });

  test('a password says so; phr is not claimed', async () => {
    const bob = await withPassword(stage, 'bob');
    await stage.command('user set bob --email-verified');
    await bob.page.goto(`${url}/application`);
    await usePassword(bob, 'bob', PASSWORD);
    // Whoever has a verified address is offered a passkey.
    await bob.page.click('#enrol-later');
    await bob.page.click('#consent-allow');
    const { token } = await told(bob);
    assert.deepEqual(token.amr, ['pwd']);
    assert.notEqual(token.acr, 'phr');
  });

  test('signs out of both', async () => {
    const to = `${stage.product.issuer}/logout?client_id=proxy&post_logout_redirect_uri=${encodeURIComponent(`${url}/ping`)}`;
    await ada.key.present(false);
    await ada.page.goto(`${url}/oauth2/sign_out?rd=${encodeURIComponent(to)}`);
    if (await ada.page.locator('#logout-confirm').count()) await ada.page.click('#logout-confirm');
    await ada.page.waitForURL(`${url}/ping`);
    await ada.page.goto(`${url}/application`);
    await ada.page.waitForSelector('#passkey-login');
  });
});
