// What this browser can do with passkeys: yes, no, or not known. WebAuthn L3 §5.1.7 (getClientCapabilities).
import { capabilities, supported } from './causes.js';

// Browsers of before its time have a question of its own for two of them.
const asked = async question => { try { return await PublicKeyCredential[question](); } catch { return undefined; } };

/** `true`, `false`, or `undefined` for what the browser does not tell. */
async function answers() {
  if (!supported) return { device: false, synced: false, phone: false, key: false, autofill: false };
  const told = await capabilities();
  const device = told.userVerifyingPlatformAuthenticator ?? await asked('isUserVerifyingPlatformAuthenticatorAvailable');
  // No browser tells whether a passkey it makes is synced; Apple's and Android's own are.
  const syncs = /^(Mac|iP)|Android/.test(navigator.userAgentData?.platform ?? navigator.platform);
  return {
    device,
    synced: device && syncs ? true : told.passkeyPlatformAuthenticator === false ? false : undefined,
    phone: told.hybridTransport,
    // A browser with WebAuthn asks for security keys; whether there is a port for one, nobody can tell.
    key: true,
    autofill: told.conditionalGet ?? await asked('isConditionalMediationAvailable'),
  };
}

const list = document.getElementById('capabilities-list');
for (const [name, can] of Object.entries(await answers())) {
  const badge = document.getElementById(`capability-${name}`);
  if (can !== undefined) badge.textContent = can ? list.dataset.yes : list.dataset.no;
  badge.classList.toggle('ok', can === true);
}
list.hidden = false;
