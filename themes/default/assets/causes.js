// Why a passkey did not work, as far as the browser tells: one cause for each way to fail. `parts/passkey.html` has the
// words of each. WebAuthn L3 §5.1.3 and §5.1.4 (errors), §5.1.7 (capabilities), §5.10 (permissions policy).

export const supported = typeof PublicKeyCredential === 'function' && !!navigator.credentials;

// Views of other apps by their names, Android's by its mark; Apple's call themselves neither Safari nor Chrome.
const VIEWS = /; wv\)|\bFBA[NV]\/|\bFB_IAB|\bInstagram\b|\bLine\/|MicroMessenger|\bGSA\/|LinkedInApp|musical_ly|Snapchat|Pinterest\//;
const agent = navigator.userAgent;
const embedded = VIEWS.test(agent) || (/AppleWebKit\//.test(agent) && !/\b(Safari|\w*Chrome)\//.test(agent));

/** What the browser can do (WebAuthn L3 §5.1.7), `{}` where it does not tell. */
export async function capabilities() {
  try { return await PublicKeyCredential.getClientCapabilities(); } catch { return {}; }
}

/** Whether the page's permissions policy forbids the ceremony, `get` or `create`; only some browsers tell. */
function forbidden(ceremony) {
  const policy = document.permissionsPolicy ?? document.featurePolicy;
  const feature = `publickey-credentials-${ceremony}`;
  return !!policy?.features().includes(feature) && !policy.allowsFeature(feature);
}

/** Why no passkey can be used on this page at all; nothing if it can. */
export function obstacle() {
  if (!globalThis.isSecureContext) return 'insecure';
  if (!supported) return embedded ? 'embedded' : 'unsupported';
  return forbidden('get') ? 'forbidden' : null;
}

/** What the browser refused, with what tells causes apart: the ceremony and whether its time was over. */
export class Failed extends Error {
  constructor({ name, message }, ceremony, late) {
    super(message);
    Object.assign(this, { name, ceremony, late });
  }
}

// Any of these may just mean that the app around the page did not let the ceremony through.
const ELSEWHERE = ['NotAllowedError', 'NotSupportedError', 'SecurityError', 'UnknownError'];

/** The cause of a [Failed]; nothing when the person wanted it. */
export async function cause({ name, message, ceremony, late }) {
  if (name === 'AbortError') return null;
  if (embedded && !late && ELSEWHERE.includes(name)) return 'embedded';
  switch (name) {
    case 'NotAllowedError':
      if (forbidden(ceremony)) return 'forbidden';
      // Chromium's words; no browser has a name for it.
      if (/certificate/i.test(message)) return 'certificate';
      if (late) return 'late';
      if (ceremony === 'create') return 'unmade';
      return (await capabilities()).hybridTransport === false ? 'alone' : 'closed';
    case 'TimeoutError': return 'late';
    case 'InvalidStateError': return ceremony === 'create' ? 'already' : 'broken';
    case 'SecurityError': return 'host';
    case 'NotSupportedError': return 'kind';
    case 'ConstraintError': return 'unable';
    case 'OperationError': return 'pending';
    default: return 'broken';
  }
}
