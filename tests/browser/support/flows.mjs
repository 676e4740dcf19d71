// What people do, step by step.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Opens the set-up link and makes the owner with a passkey; ends where they are told to sign in with it. */
export async function setUpOwner(stage, { page }, { username = 'ada', email = 'ada@example.org' } = {}) {
  await page.goto(stage.product.setup);
  await page.fill('#setup-username', username);
  await page.fill('#setup-email', email);
  await page.click('#setup-submit');
  await page.waitForURL('**/setup/done');
}

/**
 * Signs in by the button of the page, whatever page asks for a passkey. The authenticator was not present so far: it
 * would have answered the autofill, without a click.
 */
export async function usePasskey({ page, key }) {
  await page.waitForSelector('#passkey-login');
  // The page that asks for a second factor does not listen.
  await page.waitForSelector('html[data-listening], body:not(:has(#username))');
  await key.present(true);
  await page.click('#passkey-login');
}

/** The owner, signed in to their account. */
export async function signedInOwner(stage, person, who) {
  await setUpOwner(stage, person, who);
  await person.key.present(false);
  await person.page.click('#message-next');
  await usePasskey(person);
  await person.page.waitForURL('**/account/security');
}

/** Signs in to the demo, wherever the way leads; allows what it asks for. */
export async function openDemo(stage, { page }) {
  await page.goto(stage.product.demo);
  await page.click('#demo-sign-in');
  await Promise.race([page.waitForSelector('#consent-allow'), page.waitForSelector('#id-token-claims')]);
  if (await page.locator('#consent-allow').count()) await page.click('#consent-allow');
  await page.waitForSelector('#id-token-claims');
}

/** The claims of the ID token, as the demo shows them. */
export const claims = async page => JSON.parse(await page.textContent('#id-token-claims'));

/**
 * Sets the policy's mode and opens `request` until the running product has taken the mode over, which is seen by whether
 * the page has what `sign` selects.
 */
export async function setMode(stage, { page }, mode, request, sign) {
  await stage.command(`policy set mode=${mode}`);
  do await page.goto(request); while (!await page.locator(sign).count());
}

/** Types name and password, one after the other. */
export async function usePassword({ page }, username, password) {
  await page.fill('#username', username);
  await page.click('#login-submit');
  await page.fill('#password', password);
  await page.click('#login-submit');
}

/** Changes the policy, and waits until the running product has it: the hints, which it tells everybody, say so. */
const MARKS = ['security-key', 'hybrid', 'client-device'];
export async function setPolicy(stage, fields) {
  const { issuer } = stage.product;
  MARKS.push(MARKS.shift());
  await stage.command(`policy set ${fields} hints=${MARKS[0]}`);
  for (let told; told !== MARKS[0];) {
    const answer = await fetch(`${issuer}/webauthn/authenticate/options`, {
      method: 'POST', body: '{}', headers: { origin: issuer, 'content-type': 'application/json' },
    });
    [told] = (await answer.json()).publicKey.hints;
  }
}

/** The code of the newest mail to an address, as `pattern` finds it; a moment passes until it lies there. */
export async function mailedCode(stage, to, pattern) {
  const folder = join(stage.data, 'mail');
  for (let tries = 0; tries < 100; tries++) {
    const files = (await readdir(folder).catch(() => [])).sort();
    for (const file of files.reverse()) {
      const mail = await readFile(join(folder, file), 'utf8');
      const [, code] = (mail.match(/^To: .*$/m)?.[0].includes(to) && mail.match(pattern)) || [];
      if (code) return code;
    }
    await new Promise(done => setTimeout(done, 100));
  }
  const files = await readdir(folder).catch(() => []);
  throw new Error(`no mail with a code came to ${to}, only ${files.join(', ')}`);
}
