// Every page that is reached with a passkey: accessible, light and dark, on a phone and on a desk.
import { test } from 'node:test';
import { newPerson, plugIn, SYNCED, USB } from './support/browser.mjs';
import { usePasskey } from './support/flows.mjs';
import { review } from './support/review.mjs';
import { openStage } from './support/stage.mjs';

const stage = await openStage();
const ada = await newPerson(stage, { key: SYNCED });
const { page, key } = ada;
const { issuer, demo } = stage.product;

test('set-up', async () => {
  await page.goto(stage.product.setup);
  await page.waitForSelector('#setup-submit');
  await review(page, 'setup');
  await page.fill('#setup-username', 'ada');
  await page.fill('#setup-email', 'ada@example.org');
  await key.present(false);
  await page.click('#setup-submit');
  await page.waitForSelector('#passkey-stop');
  await review(page, 'setup-waiting');
  await page.click('#passkey-stop');
  await key.present(true);
  await page.click('#setup-submit');
  await page.waitForURL('**/setup/done');
  await review(page, 'setup-done');
  await page.goto(stage.product.setup);
  await page.waitForSelector('#error-page');
  await review(page, 'error-link-over');
});

test('sign-in', async () => {
  await key.present(false);
  await page.goto(demo);
  await review(page, 'demo-home');
  await page.click('#demo-sign-in');
  await page.waitForSelector('#passkey-login');
  await review(page, 'login');
  await page.getByText('My passkey is on another device').click();
  await review(page, 'login-elsewhere');
  await page.waitForSelector('html[data-listening]');
  await page.click('#passkey-login');
  await page.waitForSelector('#passkey-stop');
  await review(page, 'login-waiting');
  await page.click('#passkey-stop');
  const stranger = await newPerson(stage);
  await stranger.key.present(false);
  await stranger.page.goto(`${issuer}/login`);
  await usePasskey(stranger);
  await stranger.page.locator('#notices [role=alert]').waitFor();
  await review(stranger.page, 'login-no-passkey');
  await stranger.page.fill('#username', 'ada');
  await stranger.page.click('#login-submit');
  await stranger.page.waitForSelector('#login-restart');
  await review(stranger.page, 'login-prove');
});

test('consent, account chooser and the way on', async () => {
  await usePasskey(ada);
  await page.waitForSelector('#consent-allow');
  await review(page, 'consent');
  await page.getByRole('link', { name: 'Not you?' }).click();
  await page.waitForSelector('#choose-current');
  await review(page, 'choose');
  await page.click('#choose-current');
  await page.waitForSelector('#consent-allow');
  // The page in between goes on at once: this one is told to stay.
  await page.route('**/consent', async route => {
    const response = await route.fetch();
    const body = (await response.text()).replace(/<meta http-equiv="refresh"[^>]*>/, '');
    await route.fulfill({ response, body });
  });
  await page.click('#consent-allow');
  await page.waitForSelector('#go-on');
  await review(page, 'go-on');
  await page.click('#go-on');
  await page.waitForSelector('#id-token-claims');
  await review(page, 'demo-claims');
});

test('security', async () => {
  await page.goto(`${issuer}/account/security`);
  await page.waitForSelector('#passkey-create');
  await review(page, 'security-one');
  await page.getByText('Rename').click();
  await review(page, 'security-rename');
  const stick = await plugIn(page, USB);
  await page.fill('#passkey-name', 'The blue one on my key ring');
  await page.click('#passkey-create-key');
  await page.waitForURL('**/account/security?added=1');
  await page.waitForSelector('#passkey-create');
  await review(page, 'security-added');
  await page.goto(`${issuer}/account/security`);
  await page.waitForSelector('#passkey-create');
  await review(page, 'security-two');
  await page.getByRole('link', { name: 'Remove' }).first().click();
  await page.waitForSelector('#passkey-remove');
  await review(page, 'remove-passkey');
  await stick.unplug();
});

test('confirming that it is you', async () => {
  await key.present(false);
  await page.goto(demo);
  await page.click('#demo-step-up');
  await page.waitForSelector('#passkey-login');
  await review(page, 'login-again');
  await page.click('#login-cancel');
  await page.waitForSelector('#error-page');
  await review(page, 'demo-error');
});

test('sign-out', async () => {
  await page.goto(`${issuer}/logout`);
  await page.waitForSelector('#logout-confirm');
  await review(page, 'logout-confirm');
  await page.click('#logout-deny');
  await page.waitForSelector('#logged-in');
  await review(page, 'logged-in');
  await page.goto(`${issuer}/logout`);
  await page.click('#logout-confirm');
  await page.waitForSelector('#logged-out');
  await review(page, 'logged-out');
});

test('errors', async () => {
  const pages = {
    'error-not-found': '/nowhere',
    'error-unknown-application': '/authorize?client_id=nobody&redirect_uri=http://localhost/&response_type=code',
    'error-redirect-mismatch': '/authorize?client_id=demo&redirect_uri=http://localhost/other&response_type=code',
    'error-request': '/authorize/resume?request=made-up',
  };
  for (const [name, path] of Object.entries(pages)) {
    await page.goto(issuer + path);
    await page.waitForSelector('#error-page');
    await review(page, name);
  }
});
