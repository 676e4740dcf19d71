// The RP ID changes: `localhost` becomes `idp.localhost`, which Chromium cannot claim for one another. Old and new host
// are the same product; whoever has a passkey of the old one uses it there once and makes a new one in the same visit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApplication } from './support/application.mjs';
import { newPerson } from './support/browser.mjs';
import { setUpOwner, usePasskey } from './support/flows.mjs';
import { review } from './support/review.mjs';
import { openStage } from './support/stage.mjs';

const OLD = 'localhost';
const NEW = 'idp.localhost';
const stage = await openStage();
const ada = await newPerson(stage);
const application = await openApplication(stage, 'files');
const old = stage.product.issuer;

/** Opens the application's sign-in and follows the link to the old host. */
async function leave({ page, key }) {
  await key.present(false);
  await page.goto(application.signIn());
  await page.click(`[data-elsewhere="${OLD}"]`);
  await page.waitForURL(`${old}/login/away?**`);
}

test('is planned, started, and both hosts are served', async () => {
  await setUpOwner(stage, ada);
  const plan = await stage.command(`rp-id plan ${NEW}`);
  assert.deepEqual([plan.from, plan.to, plan.issuer.changes], [OLD, NEW, true]);
  assert.deepEqual(plan.users, { left: 1, moved: 0, passkey_alone: 1 });
  const { issuer } = await stage.command(`rp-id start ${NEW}`);
  assert.equal(new URL(issuer).hostname, NEW);
  stage.product.issuer = issuer;
  // The running product takes it over by itself; discovery at the old host names the new issuer.
  const discovered = async () => (await (await fetch(`${old}/.well-known/openid-configuration`)).json()).issuer;
  while (await discovered() !== issuer);
});

test('the old passkey works at the old host, and a new one is made in the same visit', async () => {
  const { page, key } = ada;
  await key.present(false);
  await page.goto(application.signIn());
  await page.waitForSelector(`[data-elsewhere="${OLD}"]`);
  await review(page, 'login-moved');
  await leave(ada);
  await review(page, 'away');
  await usePasskey(ada);
  await page.waitForURL(`${stage.product.issuer}/login/enrol?**`);
  await review(page, 'enrol-moved');
  await page.click('[data-kind=this-device]');
  await page.click('#consent-allow');
  const { code } = await application.arrival(ada);
  // An application that still redeems at the old host gets tokens of the one issuer.
  const { issuer } = stage.product;
  stage.product.issuer = old;
  const { claims } = await application.redeem({ code });
  stage.product.issuer = issuer;
  assert.deepEqual([claims.iss, claims.acr], [issuer, 'phr']);
  const made = (await key.credentials()).map(({ rpId }) => rpId).sort();
  assert.deepEqual(made, [NEW, OLD]);
});

test('from then on the new passkey signs in at the new host alone', async () => {
  const { page, key, context } = ada;
  await context.clearCookies();
  await key.present(false);
  await page.goto(application.signIn());
  await usePasskey(ada);
  assert.ok((await application.arrival(ada)).code);
});

test('a handoff counts in the browser that left, and once', async () => {
  const { page, context } = ada;
  await context.clearCookies();
  await leave(ada);
  // Somebody takes it off the wire before the browser is back.
  let handoff = null;
  const caught = new Promise(done => page.route('**/login/handoff?**', route => {
    handoff = route.request().url();
    // Not aborted: the browser would try again by itself.
    route.fulfill({ status: 204 });
    done();
  }));
  await usePasskey(ada);
  await caught;
  await page.unroute('**/login/handoff?**');
  const eve = await newPerson(stage);
  for (const prepared of [false, true]) {
    if (prepared) await eve.page.goto(application.signIn());
    const answer = await eve.page.goto(handoff);
    assert.equal(answer.status(), 403, await eve.page.textContent('#error-page'));
  }
  await review(eve.page, 'handoff-refused');
  await page.goto(handoff);
  assert.ok((await application.arrival(ada)).code, 'where it began it counts');
  assert.equal((await page.goto(handoff)).status(), 403, 'and only once');
});

test('the end: nobody is left, and the old host is not answered', async () => {
  const status = await stage.command('rp-id status');
  assert.deepEqual(status.map(({ rp_id: id, state }) => [id, state]), [[NEW, 'current'], [OLD, 'old']]);
  assert.equal(status[1].moving.left, 0);
  assert.equal((await stage.command('rp-id finish')).finished, OLD);
  while ((await fetch(`${old}/login/away`)).status !== 421);
});
