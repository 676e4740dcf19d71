// npm's openid-client beyond the code: refreshing, asking about tokens and giving them back, devices, machines.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as client from 'openid-client';
import { newPerson, SYNCED } from '../browser/support/browser.mjs';
import { signedInOwner, usePasskey } from '../browser/support/flows.mjs';
import { openStage } from '../browser/support/stage.mjs';
import { signInAndAllow, startOver, SYNCED_AMR } from './support/people.mjs';
import { openRelyingParty } from './support/relying-party.mjs';

const stage = await openStage();
const ada = await newPerson(stage, { key: SYNCED });
await signedInOwner(stage, ada);
const { page } = ada;

const ISSUER = new URL(stage.product.issuer);
const discover = (id, authentication) => client.discovery(ISSUER, id, undefined, authentication,
  { execute: [client.allowInsecureRequests] });

/** Signs in with the passkey; gives the tokens. */
async function signIn(party, asked) {
  await startOver(ada);
  await party.begin(ada, asked);
  await signInAndAllow(ada);
  const { error, description, claims } = await party.end(ada);
  assert.equal(error, undefined, description);
  assert.equal(claims.acr, 'phr');
  assert.deepEqual([...claims.amr].sort(), SYNCED_AMR);
  return { ...party.tokens(), claims };
}

suite('openid-client: grants', () => {
  test('a confidential client refreshes, asks about its tokens and gives them back', async () => {
    const party = await openRelyingParty(stage, 'refresh', '--grant authorization-code --grant refresh-token', client.ClientSecretBasic,
      { scope: 'openid profile offline_access' });
    const { config } = party;
    const first = await signIn(party, { prompt: 'consent' });
    const next = await client.refreshTokenGrant(config, first.refresh_token);
    assert.notEqual(next.access_token, first.access_token);
    const claims = next.claims();
    assert.equal(claims.sub, first.claims.sub);
    assert.equal(claims.auth_time, first.claims.auth_time);
    assert.equal(claims.acr, 'phr');
    assert.equal((await client.fetchUserInfo(config, next.access_token, claims.sub)).preferred_username, 'ada');

    const told = await client.tokenIntrospection(config, next.access_token);
    assert.equal(told.active, true);
    assert.equal(told.sub, claims.sub);
    assert.equal(told.client_id, 'refresh');
    await client.tokenRevocation(config, next.access_token);
    assert.deepEqual(await client.tokenIntrospection(config, next.access_token), { active: false });
    await client.tokenRevocation(config, next.refresh_token ?? first.refresh_token);
    await assert.rejects(client.refreshTokenGrant(config, next.refresh_token ?? first.refresh_token), { error: 'invalid_grant' });
  });

  test('a public client gets a new refresh token each time; a stolen old one ends them all', async () => {
    const party = await openRelyingParty(stage, 'page', '--public --grant authorization-code --grant refresh-token', undefined,
      { scope: 'openid offline_access' });
    const { refresh_token: first } = await signIn(party, { prompt: 'consent' });
    const { refresh_token: second } = await client.refreshTokenGrant(party.config, first);
    assert.notEqual(second, first);
    const { refresh_token: third } = await client.refreshTokenGrant(party.config, second);
    await assert.rejects(client.refreshTokenGrant(party.config, first), { error: 'invalid_grant' });
    await assert.rejects(client.refreshTokenGrant(party.config, third), { error: 'invalid_grant' });
  });

  test('a device gets tokens once its code is allowed with a passkey', async () => {
    await stage.command('client create tv --name tv --public --grant device-code --grant refresh-token');
    const config = await discover('tv', client.None());
    const begun = await client.initiateDeviceAuthorization(config, { scope: 'openid profile' });
    const polled = client.pollDeviceAuthorizationGrant(config, begun);
    await startOver(ada);
    await page.goto(begun.verification_uri_complete);
    assert.equal(await page.inputValue('#device-code'), begun.user_code);
    await page.click('#device-submit');
    await usePasskey(ada);
    await page.click('#device-allow');
    const tokens = await polled;
    const { acr, amr, sub } = tokens.claims();
    // Whoever allows a code may have been talked into it: never phr.
    assert.equal(acr, 'https://refeds.org/profile/mfa');
    assert.deepEqual([...amr].sort(), ['mca', ...SYNCED_AMR].sort());
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, sub)).preferred_username, 'ada');
  });

  test('a machine gets a token of its own, and none that speaks for a person', async () => {
    const { client_secret: secret } = await stage.command('client create machine --name machine --grant client-credentials');
    const config = await discover('machine', client.ClientSecretBasic(secret));
    const tokens = await client.clientCredentialsGrant(config);
    assert.equal(tokens.id_token, undefined);
    assert.equal(tokens.refresh_token, undefined);
    const told = await client.tokenIntrospection(config, tokens.access_token);
    assert.equal(told.active, true);
    assert.equal(told.client_id, 'machine');
  });
});
