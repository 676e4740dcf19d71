// npm's oidc-client-ts in a page of its own: a public client whose token and userinfo requests cross origins.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { newPerson, SYNCED } from '../browser/support/browser.mjs';
import { signedInOwner } from '../browser/support/flows.mjs';
import { openStage } from '../browser/support/stage.mjs';
import { signInAndAllow, startOver, SYNCED_AMR } from './support/people.mjs';
import { serve } from './support/serve.mjs';

const stage = await openStage();
const ada = await newPerson(stage, { key: SYNCED });
await signedInOwner(stage, ada);
const { page } = ada;

const read = name => readFileSync(new URL(name, import.meta.url));
const files = {
  '/oidc-client-ts.min.js': ['text/javascript', read('node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js')],
  '/settings.json': ['application/json', JSON.stringify({ authority: stage.product.issuer, client_id: 'page' })],
};
const index = ['text/html; charset=utf-8', read('oidc-client-ts/index.html')];
const url = await serve((request, response) => {
  const [type, body] = files[request.url] ?? index;
  response.writeHead(200, { 'content-type': type }).end(body);
});
await stage.command(`client create page --public --name page --redirect-uri ${url}/callback `
  + `--redirect-uri ${url}/silent --post-logout-redirect-uri ${url}/bye`);

async function shown() {
  await page.waitForSelector('#shown:not([hidden])');
  return JSON.parse(await page.textContent('#shown'));
}
async function signIn(asked = '') {
  await page.goto(`${url}/?${asked}`);
  await page.click('#sign-in');
}

let first;

suite('oidc-client-ts', () => {
  test('signs in with a passkey; token and userinfo answer a page of another origin', async () => {
    const crossed = [];
    page.on('response', response => {
      if (response.request().resourceType() === 'fetch' && response.url().startsWith(stage.product.issuer)) {
        crossed.push(`${response.request().method()} ${new URL(response.url()).pathname} ${response.status()}`);
      }
    });
    await startOver(ada);
    await signIn('acr_values=phr');
    await signInAndAllow(ada);
    first = (await shown()).profile;
    assert.equal(first.acr, 'phr');
    assert.deepEqual([...first.amr].sort(), SYNCED_AMR);
    assert.equal(first.preferred_username, 'ada');
    assert.equal(first.email, 'ada@example.org');
    for (const request of ['POST /token 200', 'GET /userinfo 200']) assert.ok(crossed.includes(request), crossed.join());
  });

  test('renews silently in a frame', async () => {
    await page.click('#renew');
    const again = (await shown()).profile;
    assert.notEqual(again.at_hash, first.at_hash);
    assert.equal(again.auth_time, first.auth_time);
    assert.equal(again.acr, 'phr');
  });

  test('signs out; a silent renewal then fails', async () => {
    await page.click('#sign-out');
    await page.waitForURL(`${url}/bye**`);
    assert.deepEqual(await shown(), { bye: true });
    await signIn('prompt=none');
    await page.waitForURL(`${url}/callback?**`);
    assert.deepEqual(await shown(), { error: 'login_required' });
  });
});
