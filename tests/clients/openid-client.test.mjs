// npm's openid-client, public and confidential: people sign in with a passkey, again, more strongly, and out.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as client from 'openid-client';
import { newPerson, SYNCED } from '../browser/support/browser.mjs';
import { setMode, signedInOwner, usePasskey, usePassword } from '../browser/support/flows.mjs';
import { openStage } from '../browser/support/stage.mjs';
import { enrol, PASSWORD, startOver, SYNCED_AMR, withPassword } from './support/people.mjs';
import { openRelyingParty } from './support/relying-party.mjs';

const stage = await openStage();
const ada = await newPerson(stage, { key: SYNCED });
await signedInOwner(stage, ada);
const { page, key } = ada;

const parties = [
  await openRelyingParty(stage, 'public', '--public'),
  await openRelyingParty(stage, 'basic', '--secret-basic --alg RS256', client.ClientSecretBasic),
  await openRelyingParty(stage, 'post', '--secret-post', client.ClientSecretPost),
];

const amr = ({ claims }) => [...claims.amr].sort();
/** Claims tell time in whole seconds. */
const past = second => page.waitForFunction(s => Date.now() / 1000 >= s + 1, second);

for (const party of parties) {
  suite(`client "${party.id}"`, () => {
    let first;

    test('signs in with a passkey after consent', async () => {
      await startOver(ada);
      await party.begin(ada, { login_hint: 'ada' });
      assert.equal(await page.inputValue('#username'), 'ada');
      const before = Math.floor(Date.now() / 1000);
      await usePasskey(ada);
      await page.click('#consent-allow');
      first = await party.end(ada);
      assert.equal(first.claims.nonce, first.nonce);
      assert.equal(first.claims.acr, 'phr');
      assert.deepEqual(amr(first), SYNCED_AMR);
      assert.ok(first.claims.auth_time >= before && first.claims.auth_time <= Date.now() / 1000);
    });

    test('learns by userinfo what was allowed', () => {
      assert.equal(first.userinfo.sub, first.claims.sub);
      assert.equal(first.userinfo.preferred_username, 'ada');
      assert.equal(first.userinfo.email, 'ada@example.org');
    });

    test('single sign-on, also silently, tells the same auth_time', async () => {
      await past(first.claims.auth_time);
      for (const asked of [{}, { prompt: 'none' }]) {
        await party.begin(ada, asked);
        const again = await party.end(ada);
        assert.equal(again.claims.auth_time, first.claims.auth_time);
        assert.equal(again.claims.sid, first.claims.sid);
      }
      await party.begin(ada, {}, 3600);
      assert.equal((await party.end(ada)).claims.auth_time, first.claims.auth_time);
    });

    for (const [name, asked, maxAge] of [['max_age=0', {}, 0], ['prompt=login', { prompt: 'login' }, undefined]]) {
      test(`${name} asks for the passkey again and tells a newer auth_time`, async () => {
        await key.present(false);
        await party.begin(ada, asked, maxAge);
        await usePasskey(ada);
        const newer = await party.end(ada);
        assert.ok(newer.claims.auth_time > first.claims.auth_time);
        assert.equal(newer.claims.sid, first.claims.sid);
        assert.equal(newer.claims.acr, 'phr');
      });
    }

    test('signs out without a question; a silent sign-in is then refused', async () => {
      assert.deepEqual(await party.signOut(ada), { bye: true });
      await party.begin(ada, { prompt: 'none' });
      assert.equal((await party.end(ada)).error, 'login_required');
    });

    test('cancelling is access_denied', async () => {
      await key.present(false);
      await party.begin(ada);
      await page.click('#login-cancel');
      assert.equal((await party.end(ada)).error, 'access_denied');
    });
  });
}

suite('stronger than a password', async () => {
  const bob = await withPassword(stage, 'bob');
  const [party] = parties;
  const essential = { claims: JSON.stringify({ id_token: { acr: { essential: true, values: ['phr'] } } }) };

  test('a password alone says so', async () => {
    await party.begin(bob);
    await usePassword(bob, 'bob', PASSWORD);
    await bob.page.click('#consent-allow');
    const weak = await party.end(bob);
    assert.deepEqual(amr(weak), ['pwd']);
    assert.notEqual(weak.claims.acr, 'phr');
  });

  test('phr where there is no passkey: voluntary gets what there is, essential an error', async () => {
    await party.begin(bob, { acr_values: 'phr' });
    assert.deepEqual(amr(await party.end(bob)), ['pwd']);
    await party.begin(bob, essential);
    assert.equal((await party.end(bob)).error, 'unmet_authentication_requirements');
  });

  test('acr_values=phr steps the session up with a passkey', async () => {
    await enrol(stage, bob, 'bob');
    await party.begin(bob, { acr_values: 'phr' });
    await bob.page.waitForURL('**/login/second-factor?**');
    await usePasskey(bob);
    const strong = await party.end(bob);
    assert.equal(strong.claims.acr, 'phr');
    assert.ok(strong.claims.amr.includes('hwk'), strong.claims.amr.join());
  });

  test('an essential acr steps up too, and cannot be declined', async () => {
    const eve = await withPassword(stage, 'eve');
    await party.begin(eve);
    await usePassword(eve, 'eve', PASSWORD);
    await eve.page.click('#consent-allow');
    await party.end(eve);
    await enrol(stage, eve, 'eve');
    await setMode(stage, eve, 'optional', party.address({ acr_values: 'phr' }), '#login-continue');
    await party.begin(eve, essential);
    await eve.page.waitForURL('**/login/second-factor?**');
    assert.equal(await eve.page.locator('#login-continue').count(), 0);
    await usePasskey(eve);
    assert.equal((await party.end(eve)).claims.acr, 'phr');
  });
});
