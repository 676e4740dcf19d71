// npm's openid-client once more: requests that are pushed or signed, clients with a key, tokens bound to one, FAPI 2.0.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import * as client from 'openid-client';
import { newPerson, SYNCED } from '../browser/support/browser.mjs';
import { signedInOwner } from '../browser/support/flows.mjs';
import { openStage } from '../browser/support/stage.mjs';
import { signInAndAllow, startOver, SYNCED_AMR } from './support/people.mjs';
import { openRelyingParty } from './support/relying-party.mjs';

const stage = await openStage();
const ada = await newPerson(stage, { key: SYNCED });
await signedInOwner(stage, ada);
const { page } = ada;

const folder = mkdtempSync(join(tmpdir(), 'idp-keys-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
const own = { key: pair.privateKey, kid: 'own' };
const jwks = join(folder, 'jwks.json');
const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey);
writeFileSync(jwks, JSON.stringify({ keys: [{ kty, crv, x, y, kid: own.kid, use: 'sig', alg: 'ES256' }] }));

/** An authorization request as a signed request object. */
const signed = (config, parameters) => client.buildAuthorizationUrlWithJAR(config, parameters, own);
const pushed = client.buildAuthorizationUrlWithPAR;
const withKey = () => client.PrivateKeyJwt(own);
const KEY = `--private-key-jwt --jwks ${jwks}`;

/** Signs in with the passkey; gives what the application learnt, and the request as the browser carried it. */
async function signIn(party, asked) {
  let carried;
  const note = request => {
    const at = new URL(request.url());
    if (at.pathname === '/authorize') carried ??= Object.fromEntries(at.searchParams);
  };
  page.on('request', note);
  await startOver(ada);
  await party.begin(ada, asked);
  await signInAndAllow(ada);
  const learnt = await party.end(ada);
  page.off('request', note);
  assert.equal(learnt.error, undefined, learnt.description);
  assert.equal(learnt.claims.acr, 'phr');
  assert.deepEqual([...learnt.claims.amr].sort(), SYNCED_AMR);
  assert.equal(learnt.userinfo.sub, learnt.claims.sub);
  return { carried, ...learnt };
}

suite('openid-client: requests and keys', () => {
  test('a pushed request: the browser carries a reference', async () => {
    const party = await openRelyingParty(stage, 'par', '--require-par', client.ClientSecretBasic, { request: pushed });
    const { carried } = await signIn(party, { acr_values: 'phr' });
    assert.deepEqual(Object.keys(carried).sort(), ['client_id', 'request_uri']);
    await page.goto(client.buildAuthorizationUrl(party.config, { redirect_uri: 'http://localhost/', scope: 'openid' }).href);
    assert.notEqual(new URL(page.url()).pathname, '/login', 'one that was not pushed is refused');
  });

  test('a signed request: what the browser adds does not count', async () => {
    const party = await openRelyingParty(stage, 'jar', `${KEY} --require-request-object`, withKey, { request: signed });
    const { carried } = await signIn(party, { acr_values: 'phr' });
    assert.deepEqual(Object.keys(carried).sort(), ['client_id', 'request']);
  });

  test('a signed request, pushed', async () => {
    const both = async (config, parameters) => pushed(config, (await signed(config, parameters)).searchParams);
    const party = await openRelyingParty(stage, 'jar-par', `${KEY} --require-request-object --require-par`, withKey, { request: both });
    await signIn(party);
  });

  test('private_key_jwt; another key is refused', async () => {
    const party = await openRelyingParty(stage, 'key', KEY, withKey);
    await signIn(party);
    const other = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const thief = await client.discovery(new URL(stage.product.issuer), 'key', undefined,
      client.PrivateKeyJwt({ key: other.privateKey, kid: own.kid }), { execute: [client.allowInsecureRequests] });
    await assert.rejects(client.refreshTokenGrant(thief, 'nothing'), { error: 'invalid_client' });
  });

  test('DPoP: userinfo answers the key that the token is bound to and nobody else', async () => {
    const dpop = await client.randomDPoPKeyPair('ES256');
    const party = await openRelyingParty(stage, 'dpop', '--public --dpop', undefined, { dpop });
    const { claims } = await signIn(party);
    const tokens = party.tokens();
    assert.equal(tokens.token_type, 'dpop');
    await assert.rejects(client.fetchUserInfo(party.config, tokens.access_token, claims.sub));
    const other = client.getDPoPHandle(party.config, await client.randomDPoPKeyPair('ES256'));
    await assert.rejects(client.fetchUserInfo(party.config, tokens.access_token, claims.sub, { DPoP: other }));
  });

  test('the FAPI 2.0 profile: pushed, signed for, bound', async () => {
    const dpop = await client.randomDPoPKeyPair('ES256');
    const party = await openRelyingParty(stage, 'fapi', `--profile fapi2 ${KEY}`, withKey, { request: pushed, dpop, host: '127.0.0.1' });
    const { claims } = await signIn(party, { acr_values: 'phr' });
    assert.equal(claims.iss, stage.product.issuer);
  });
});
