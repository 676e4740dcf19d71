// Sessions, applications and activity of one's own, in light and dark, on a desk and on a phone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lend, newPerson, plugIn } from './support/browser.mjs';
import { openDemo, signedInOwner, usePasskey } from './support/flows.mjs';
import { review } from './support/review.mjs';
import { openStage } from './support/stage.mjs';

const stage = await openStage();
const ada = await newPerson(stage);
const { page } = ada;
await signedInOwner(stage, ada);
const account = path => `${stage.product.issuer}/account/${path}`;
const notice = words => page.locator('main [role=status]').filter({ hasText: words }).waitFor();

test('another browser is seen and signed out', async () => {
  const other = await newPerson(stage, { key: null });
  other.key = await plugIn(other.page, {});
  await lend(ada.key, other.key);
  await other.key.present(false);
  await other.page.goto(`${stage.product.issuer}/login`);
  await usePasskey(other);
  await other.page.waitForURL('**/account/security');
  await page.goto(account('sessions'));
  await page.getByText('This browser').waitFor();
  await page.getByText('network 127.0.0.*').first().waitFor();
  await review(page, 'sessions');
  await page.getByRole('button', { name: 'Sign out there' }).click();
  await notice('The session has ended');
  await other.page.goto(account('security'));
  await other.page.waitForURL('**/login');
  await other.context.close();
});

test('an application is seen with what it gets, and loses it', async () => {
  await openDemo(stage, ada);
  await page.goto(account('applications'));
  await page.getByText('ada@example.org').first().waitFor();
  await review(page, 'applications');
  await page.getByRole('button', { name: 'Take back' }).click();
  await notice('nothing of yours any more');
  await page.getByText('No application gets anything').waitFor();
});

test('activity is seen, with a way out', async () => {
  await page.goto(account('security'));
  await review(page, 'security-full');
  await page.locator('section[aria-labelledby=activity]').getByRole('link', { name: 'Show all' }).click();
  await page.waitForURL('**/account/activity');
  await page.getByText('Access was taken back').waitFor();
  const question = page.locator('details').filter({ hasText: 'Was this you?' }).first();
  await question.locator('summary').click();
  await question.getByRole('button', { name: 'End all other sessions' }).waitFor();
  await review(page, 'activity');
  assert.equal(await page.getByText('A session was ended').count(), 1);
});
