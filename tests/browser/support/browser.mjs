// Chromium with virtual authenticators (WebDriver WebAuthn by way of the DevTools protocol).
import { createRequire } from 'node:module';

// Resolved from the suite that runs: another suite may borrow these helpers.
const { chromium } = createRequire(`${process.cwd()}/`)('playwright-core');

const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
/** How long a page may take to do what is expected of it, in milliseconds. */
const PATIENCE = 30_000;

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: ARGUMENTS,
});

/** A phone's or laptop's own authenticator, whose passkeys are synced. */
export const SYNCED = { defaultBackupEligibility: true, defaultBackupState: true };
/** A security key. */
export const USB = { transport: 'usb' };

/**
 * Plugs an authenticator into a page: it verifies its user, keeps passkeys, and answers at once until
 * `present(false)`. Each page has its own set of them.
 */
export async function plugIn(page, options = {}) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable', { enableUI: false });
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true, ...options,
    },
  });
  const send = (method, parameters = {}) => cdp.send(`WebAuthn.${method}`, { authenticatorId, ...parameters });
  return {
    present: enabled => send('setAutomaticPresenceSimulation', { enabled }),
    verified: isUserVerified => send('setUserVerified', { isUserVerified }),
    credentials: async () => (await send('getCredentials')).credentials,
    add: credential => send('addCredential', { credential }),
    change: (credentialId, properties) => send('setCredentialProperties', { credentialId, ...properties }),
    forget: credentialId => send('removeCredential', { credentialId }),
    unplug: () => send('removeVirtualAuthenticator'),
  };
}

let lent = 0;

/** Copies passkeys to another authenticator, as a password manager does. Their counters go on, or the product would
 *  take them for clones: use the copy, not the original, from here on. */
export async function lend(from, to) {
  lent += 1000;
  for (const passkey of await from.credentials()) await to.add({ ...passkey, signCount: passkey.signCount + lent });
}

/** Notes what no page may do: errors in the console, refusals by the CSP, requests to another origin. */
function watch(page, home, stage) {
  const note = text => stage.trouble.push(text);
  page.on('pageerror', error => note(`${page.url()}: ${error}`));
  page.on('console', message => {
    // A 4xx that the product answers is no fault of the page.
    const answered = /^Failed to load resource: the server responded with a status of 4\d\d/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !answered) note(`${page.url()}: ${message.text()}`);
  });
  page.on('request', request => {
    const from = request.frame().url();
    const ours = home.some(origin => from.startsWith(origin));
    if (!request.isNavigationRequest() && ours && new URL(request.url()).origin !== new URL(from).origin) {
      note(`${from} asks for ${request.url()}`);
    }
  });
}

/** In the page: tells when it waits for a passkey from the autofill, or that this browser cannot (`no`). */
function listening() {
  if (!globalThis.PublicKeyCredential) return;
  const available = PublicKeyCredential.isConditionalMediationAvailable.bind(PublicKeyCredential);
  PublicKeyCredential.isConditionalMediationAvailable = async () => {
    const answer = await available();
    if (!answer) document.documentElement.dataset.listening = 'no';
    return answer;
  };
  const get = navigator.credentials.get.bind(navigator.credentials);
  navigator.credentials.get = options => {
    if (options.mediation === 'conditional') document.documentElement.dataset.listening = 'yes';
    return get(options);
  };
}

/** Somebody with a browser profile of their own and, unless `key` is null, an authenticator. */
export async function newPerson(stage, { key = {}, ...profile } = {}) {
  const context = await stage.browser.newContext({ viewport: { width: 1280, height: 900 }, ...profile });
  context.setDefaultTimeout(PATIENCE);
  const home = [stage.product.issuer, stage.product.demo];
  context.on('page', page => watch(page, home, stage));
  await context.addInitScript(listening);
  const page = await context.newPage();
  return { context, page, key: key && await plugIn(page, key) };
}
