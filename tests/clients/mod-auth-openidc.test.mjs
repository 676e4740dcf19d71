// Debian's mod_auth_openidc: Apache lets in who has used a passkey, and asks for it who came by password.
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { newPerson, SYNCED } from '../browser/support/browser.mjs';
import { signedInOwner, usePasskey, usePassword } from '../browser/support/flows.mjs';
import { openStage } from '../browser/support/stage.mjs';
import { BOUND_AMR, enrol, PASSWORD, signInAndAllow, startOver, SYNCED_AMR, withPassword } from './support/people.mjs';
import { freePort, NOBODY, start } from './support/serve.mjs';

const stage = await openStage();
const ada = await newPerson(stage, { key: SYNCED });
await signedInOwner(stage, ada);
await startOver(ada);

const port = await freePort();
const url = `http://localhost:${port}`;
const { client_secret: secret } = await stage.command(
  `client create apache --name apache --redirect-uri ${url}/callback --post-logout-redirect-uri ${url}/bye/`);

const here = mkdtempSync(join(tmpdir(), 'idp-apache-'));
after(() => rmSync(here, { recursive: true, force: true }));
for (const place of ['', 'strong', 'asking', 'bye']) {
  mkdirSync(join(here, 'pages', place), { recursive: true });
  writeFileSync(join(here, 'pages', place, 'index.html'),
    `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>App</title><h1 id="inside">/${place}</h1>`);
}
const settings = { HERE: here, PORT: port, ISSUER: stage.product.issuer, SECRET: secret, MODULES: '/usr/lib/apache2/modules' };
const defines = Object.entries(settings).map(([name, value]) => `Define ${name} ${value}\n`).join('');
writeFileSync(join(here, 'apache2.conf'), defines + readFileSync(new URL('mod-auth-openidc.conf', import.meta.url)));
if (NOBODY.uid) chownSync(here, NOBODY.uid, NOBODY.gid);
await start(`${url}/bye/`, ['/usr/sbin/apache2', '-f', join(here, 'apache2.conf'), '-DFOREGROUND'], { ...NOBODY, cwd: here });

const inside = ({ page }) => page.textContent('#inside');
async function forbidden({ page }) {
  await page.getByRole('heading', { name: 'Forbidden' }).waitFor();
  assert.equal(await page.locator('#inside').count(), 0);
}
/** What the module keeps of the sign-in. */
async function claims({ page }) {
  await page.goto(`${url}/callback?info=json`);
  return JSON.parse(await page.textContent('body'));
}

suite('mod_auth_openidc', () => {
  test('a passkey session gets in', async () => {
    await ada.page.goto(`${url}/strong/`);
    await signInAndAllow(ada);
    await ada.page.waitForURL(`${url}/strong/`);
    assert.equal(await inside(ada), '/strong');
    const { id_token: token, userinfo } = await claims(ada);
    assert.equal(token.acr, 'phr');
    assert.deepEqual([...token.amr].sort(), SYNCED_AMR);
    assert.equal(userinfo.preferred_username, 'ada');
    assert.equal(userinfo.sub, token.sub);
  });

  test('a password session is asked for its passkey and gets in', async () => {
    const bob = await withPassword(stage, 'bob');
    await bob.page.goto(`${url}/`);
    await usePassword(bob, 'bob', PASSWORD);
    await bob.page.click('#consent-allow');
    await bob.page.waitForURL(`${url}/`);
    const weak = (await claims(bob)).id_token;
    assert.deepEqual(weak.amr, ['pwd']);
    assert.notEqual(weak.acr, 'phr');
    await enrol(stage, bob, 'bob');

    await bob.page.goto(`${url}/strong/`);
    await bob.page.waitForURL('**/login/second-factor?**');
    await usePasskey(bob);
    await bob.page.waitForURL(`${url}/strong/`);
    assert.equal(await inside(bob), '/strong');
    const strong = (await claims(bob)).id_token;
    assert.equal(strong.acr, 'phr');
    assert.deepEqual(strong.amr.filter(way => way !== 'pwd').sort(), BOUND_AMR);
  });

  test('without a passkey nobody gets in, and never with a false phr', async () => {
    const eve = await withPassword(stage, 'eve');
    await eve.page.goto(`${url}/`);
    await usePassword(eve, 'eve', PASSWORD);
    await eve.page.click('#consent-allow');
    await eve.page.waitForURL(`${url}/`);

    await eve.page.goto(`${url}/strong/`);
    await eve.page.waitForURL(`${url}/callback?error=unmet_authentication_requirements**`);
    await forbidden(eve);
    await eve.page.goto(`${url}/asking/`);
    await forbidden(eve);

    // A new sign-in that asks for phr in vain.
    await eve.context.clearCookies();
    await eve.page.goto(`${url}/asking/`);
    await usePassword(eve, 'eve', PASSWORD);
    await eve.page.waitForURL(`${url}/asking/`);
    await forbidden(eve);
    const { acr, amr } = (await claims(eve)).id_token;
    assert.deepEqual(amr, ['pwd']);
    assert.notEqual(acr, 'phr');
  });

  test('signs out at the provider', async () => {
    await ada.page.goto(`${url}/callback?logout=${encodeURIComponent(`${url}/bye/`)}`);
    await ada.page.waitForURL(`${url}/bye/`);
    await ada.key.present(false);
    await ada.page.goto(`${url}/strong/`);
    await ada.page.waitForSelector('#passkey-login');
  });
});
