// Each way a passkey can fail has its own words: what happened, what to do, and none that would tell whether a name exists.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApplication } from './support/application.mjs';
import { newPerson } from './support/browser.mjs';
import { setUpOwner, usePasskey } from './support/flows.mjs';
import { review } from './support/review.mjs';
import { openStage } from './support/stage.mjs';

const stage = await openStage();
const { issuer } = stage.product;
const ada = await newPerson(stage);

/** Lets the browser refuse `get` or `create` as real ones do; a page may ask quietly for as long as it likes. */
const refuse = (page, ceremony, name, message = '') => page.addInitScript(([ceremony, name, message]) => {
  const kept = navigator.credentials[ceremony].bind(navigator.credentials);
  navigator.credentials[ceremony] = options => options.mediation === 'conditional' ? kept(options)
    : Promise.reject(new DOMException(message, name));
}, [ceremony, name, message]);

/** Lets the browser say whether it can ask a phone. */
const reaches = (page, phones) => page.addInitScript(hybridTransport => {
  PublicKeyCredential.getClientCapabilities = async () => ({ hybridTransport });
}, phones);

const alert = page => page.locator('#notices [role=alert]');
const says = async (page, title) => {
  await alert(page).filter({ hasText: title }).waitFor();
  return alert(page).textContent();
};

/** Somebody whose browser refuses, at the sign-in page, the button pressed. */
async function refused(name, message, profile) {
  const person = await newPerson(stage, profile);
  await person.key.present(false);
  await refuse(person.page, 'get', name, message);
  await reaches(person.page, true);
  await person.page.goto(`${issuer}/login`);
  await person.page.click('#passkey-login');
  return person;
}

test('set-up, refused: nothing was made, and what was typed is still there', async () => {
  const { page } = await newPerson(stage);
  await refuse(page, 'create', 'NotAllowedError');
  await page.goto(stage.product.setup);
  await page.fill('#setup-username', 'ada');
  await page.fill('#setup-email', 'ada@example.org');
  await page.click('#setup-submit');
  await says(page, 'No passkey was made');
  assert.equal(await page.inputValue('#setup-username'), 'ada');
  await page.close();
  await setUpOwner(stage, ada);
});

// [what the browser says, its message, what the page says, what is to be done]
const SIGN_IN = [
  ['NotAllowedError', '', 'No passkey was used', /localhost.*scanning a code.*security key/],
  ['NotAllowedError', 'WebAuthn is not supported on sites with TLS certificate errors.', 'certificate is not trusted', /administrator/],
  ['TimeoutError', '', 'It took too long', /at hand/],
  ['SecurityError', 'The relying party ID is not a registrable domain suffix', 'do not work at this address', /Open the page at localhost/],
  ['InvalidStateError', '', 'did not answer as it should', /Unlock it/],
  ['NotSupportedError', '', 'makes other passkeys', /Choose another device/],
  ['ConstraintError', '', 'not ready for passkeys', /PIN/],
  ['OperationError', 'A request is already pending.', 'Another window still waits', /Close it/],
  ['UnknownError', '', 'did not answer as it should', /another device/],
  ['NotReadableError', '', 'did not answer as it should', /another device/],
];

for (const [name, message, title, advice] of SIGN_IN) {
  test(`signing in: ${name} ${message}`, async () => {
    const { page, context } = await refused(name, message);
    assert.match(await says(page, title), advice);
    assert.equal(await page.getAttribute('#passkey-login', 'aria-busy'), 'false', 'it can be tried again');
    await context.close();
  });
}

test('an aborted ceremony is what the person wanted: nothing is said', async () => {
  const { page, context } = await refused('AbortError');
  await page.waitForSelector('#passkey-login[aria-busy=false]');
  assert.equal(await page.textContent('#notices'), '');
  await context.close();
});

test('no answer until the time was over is told apart from a closed window', async () => {
  const person = await newPerson(stage);
  const { page, context } = person;
  await person.key.present(false);
  await page.route('**/webauthn/authenticate/options', async route => {
    const response = await route.fetch();
    const json = await response.json();
    await route.fulfill({ response, json: { ...json, publicKey: { ...json.publicKey, timeout: 0 } } });
  });
  await refuse(page, 'get', 'NotAllowedError');
  await page.goto(`${issuer}/login`);
  await page.click('#passkey-login');
  await says(page, 'It took too long');
  await context.close();
});

test('a browser that cannot ask a phone does not promise it', async () => {
  const person = await newPerson(stage);
  const { page, context } = person;
  await person.key.present(false);
  await reaches(page, false);
  await refuse(page, 'get', 'NotAllowedError');
  await page.goto(`${issuer}/login`);
  await page.click('#passkey-login');
  assert.match(await says(page, 'No passkey was used'), /cannot ask a phone: plug in your security key/);
  await context.close();
});

test('another host than the RP ID’s: the page says which is expected', async () => {
  const person = await newPerson(stage);
  const { page, context } = person;
  await person.key.present(false);
  await page.route('**/webauthn/authenticate/options', async route => {
    const response = await route.fetch();
    const json = await response.json();
    await route.fulfill({ response, json: { ...json, publicKey: { ...json.publicKey, rpId: 'id.example.org' } } });
  });
  await page.goto(`${issuer}/login`);
  await page.click('#passkey-login');
  assert.match(await says(page, 'do not work at this address'), /They belong to localhost/);
  stage.forgive(/SecurityError|relying party/);
  await context.close();
});

test('a permissions policy is told apart from an old browser', async () => {
  const { page, context } = await newPerson(stage);
  await page.route('**/login', async route => {
    const response = await route.fetch();
    const headers = { ...response.headers(), 'permissions-policy': 'publickey-credentials-get=()' };
    await route.fulfill({ response, headers });
  });
  await page.goto(`${issuer}/login`);
  assert.match(await says(page, 'switched off for this page'), /permissions policy/);
  assert.equal(await page.locator('[data-passkey]').count(), 0, 'no button that cannot work');
  await review(page, 'login-forbidden');
  await page.fill('#username', 'ada');
  await page.click('#login-submit');
  await page.waitForSelector('#password');
  await context.close();
});

test('without a secure connection there are no passkeys, and the page says where there are', async () => {
  const { page, context } = await newPerson(stage, { key: null });
  await page.addInitScript(() => {
    Object.defineProperty(globalThis, 'isSecureContext', { value: false });
    delete globalThis.PublicKeyCredential;
  });
  await page.goto(`${issuer}/login`);
  assert.match(await says(page, 'need a secure connection'), /https/);
  await context.close();
});

const ANDROID = 'Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.0.0 Mobile Safari/537.36';
const VIEWS = {
  'Android WebView': ANDROID,
  'an app on an iPhone': 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148',
  'an app on a Mac': 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)',
  Instagram: 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 330.0',
  Facebook: `${ANDROID.replace('; wv', '')} [FB_IAB/FB4A;FBAV/450.0.0.0;]`,
};
const BROWSERS = {
  Firefox: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Safari on an iPhone': 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
  'Chrome on Android': 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
  'Edge on Windows': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
};

test('views of other apps are led to the browser; browsers are not', async () => {
  for (const [list, words] of [[VIEWS, 'Open this page in your browser'], [BROWSERS, 'This browser cannot use passkeys']]) {
    for (const [name, userAgent] of Object.entries(list)) {
      const { page, context } = await newPerson(stage, { key: null, userAgent });
      await page.addInitScript(() => { delete globalThis.PublicKeyCredential; });
      await page.goto(`${issuer}/login`);
      await alert(page).waitFor();
      assert.match(await alert(page).textContent(), new RegExp(words), name);
      await context.close();
    }
  }
});

test('a view that refuses is led out too, to the same sign-in, by a link or by the address', async () => {
  const shop = await openApplication(stage, 'shop');
  const { page, context } = await newPerson(stage, { userAgent: ANDROID });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await refuse(page, 'get', 'NotAllowedError');
  await page.addInitScript(() => { PublicKeyCredential.isConditionalMediationAvailable = async () => false; });
  await page.goto(shop.signIn());
  await page.click('#passkey-login');
  await says(page, 'Open this page in your browser');
  await review(page, 'login-embedded');
  const link = await alert(page).getByRole('link').getAttribute('href');
  assert.match(link, new RegExp(`^${issuer}/authorize/resume\\?request=`));
  await alert(page).getByRole('button').click();
  await alert(page).getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), link);
  // Where the app forbids the clipboard, the address is there to be copied by hand.
  await page.addInitScript(() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); });
  await page.reload();
  await page.click('#passkey-login');
  await alert(page).getByRole('button').click();
  const address = await alert(page).getByRole('textbox').inputValue();
  assert.equal(address, await alert(page).getByRole('link').getAttribute('href'));
  await review(page, 'login-embedded-address');
  // The browser goes on where the view stopped, and comes back to the application.
  await ada.key.present(false);
  await ada.context.clearCookies();
  await ada.page.goto(link);
  await usePasskey(ada);
  await ada.page.click('#consent-allow');
  assert.equal((await shop.arrival(ada)).state, 'here');
  await context.close();
});

test('names that exist and names that do not are refused in the same words', async () => {
  const texts = [];
  for (const name of ['ada', 'nobody']) {
    const { page, context } = await newPerson(stage);
    await refuse(page, 'get', 'NotAllowedError');
    await page.goto(`${issuer}/login`);
    await page.fill('#username', name);
    await page.click('#login-submit');
    await page.waitForSelector('#login-restart');
    await page.click('#passkey-login');
    texts.push(await says(page, 'No passkey was used'));
    await context.close();
  }
  assert.equal(texts[0], texts[1]);
});

test('adding a passkey: the same device twice, a kind nobody takes, a device without PIN', async () => {
  await ada.context.clearCookies();
  await ada.key.present(false);
  await ada.page.goto(`${issuer}/login`);
  await usePasskey(ada);
  await ada.page.waitForURL('**/account/security');
  await ada.page.click('#passkey-create');
  assert.match(await says(ada.page, 'already registered'), /Choose another one/);
  for (const [name, title] of [['NotSupportedError', 'makes other passkeys'], ['ConstraintError', 'not ready for passkeys']]) {
    const page = await ada.context.newPage();
    await refuse(page, 'create', name);
    await page.goto(`${issuer}/account/security`);
    await page.click('#passkey-create');
    await says(page, title);
    await page.close();
  }
});
