// The passkey ceremonies as the browser sees them: options from the server, the authenticator's answer back.
// WebAuthn L3 §5.1; the server's JSON is what §5.1.8 and §5.1.9 call ...OptionsJSON and §5.5 ...ResponseJSON.
import { Failed, cause, obstacle } from './causes.js';
import { signalAll, signalUnknown } from './signals.js';

/** What the server answered instead of going on: problem+json (RFC 9457). */
class Refused extends Error {
  constructor(problem, path) {
    super(problem.title ?? '');
    Object.assign(this, { problem, path });
  }
}

/** The server could not be reached at all. */
class Offline extends Error {}

async function post(path, body, { csrf, signal } = {}) {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
  if (csrf) headers['X-CSRF-Token'] = csrf;
  let answer;
  try {
    answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body), credentials: 'same-origin', signal });
  } catch (error) {
    throw error.name === 'AbortError' ? error : new Offline();
  }
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(json, path);
  return json;
}

// ---- Bytes: for browsers that know WebAuthn but not its JSON yet ----
const bytes = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0));
const text = buffer => btoa(Array.from(new Uint8Array(buffer), b => String.fromCharCode(b)).join(''))
  .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const withId = descriptor => ({ ...descriptor, id: bytes(descriptor.id) });

function requestOptions(json) {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) return PublicKeyCredential.parseRequestOptionsFromJSON(json);
  return { ...json, challenge: bytes(json.challenge), allowCredentials: (json.allowCredentials ?? []).map(withId) };
}

function creationOptions(json) {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) return PublicKeyCredential.parseCreationOptionsFromJSON(json);
  return {
    ...json, challenge: bytes(json.challenge), user: { ...json.user, id: bytes(json.user.id) },
    excludeCredentials: (json.excludeCredentials ?? []).map(withId),
  };
}

function toJSON(credential) {
  // Some password managers hand out an object whose toJSON throws.
  try { if (credential.toJSON) return credential.toJSON(); } catch { /* by hand */ }
  const { response } = credential;
  const answer = { clientDataJSON: text(response.clientDataJSON) };
  if (response.attestationObject) {
    answer.attestationObject = text(response.attestationObject);
    answer.transports = response.getTransports?.() ?? [];
  } else {
    answer.authenticatorData = text(response.authenticatorData);
    answer.signature = text(response.signature);
    if (response.userHandle) answer.userHandle = text(response.userHandle);
  }
  return {
    id: credential.id, rawId: text(credential.rawId), type: credential.type, response: answer,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults?.() ?? {},
  };
}

// ---- The two ceremonies ----

/** The browser's part, `get` or `create`. */
async function held(ceremony, options) {
  const begun = performance.now();
  try {
    return await navigator.credentials[ceremony](options);
  } catch (error) {
    throw new Failed(error, ceremony, performance.now() - begun >= options.publicKey.timeout);
  }
}

/** Signs in: `asked` is `{username?, mediation?, request?}`. Gives `{status, next}`. */
export async function authenticate(asked, signal) {
  const { ceremony, csrf, publicKey, signals } = await post('/webauthn/authenticate/options', asked, { signal });
  const options = { publicKey: requestOptions(publicKey), signal };
  if (asked.mediation) options.mediation = asked.mediation;
  const credential = toJSON(await held('get', options));
  try {
    const answer = await post('/webauthn/authenticate', { ceremony, credential, request: asked.request }, { csrf });
    if (signals && answer.status === 'complete') await signalAll();
    return answer;
  } catch (error) {
    if (signals && error.problem?.code === 'unknown_credential') await signalUnknown(publicKey.rpId, credential.id);
    throw error;
  }
}

/** Makes a passkey: `asked` is `{kind?, username?, traits?, pass?, request?, mediation?}`. Gives its record and `next`. */
export async function register(asked, name, signal) {
  const { ceremony, csrf, publicKey, signals } = await post('/webauthn/register/options', asked, { signal });
  const options = { publicKey: creationOptions(publicKey), signal };
  if (asked.mediation) options.mediation = asked.mediation;
  const credential = toJSON(await held('create', options));
  try {
    return await post('/webauthn/register', { ceremony, credential, name: name || undefined, request: asked.request }, { csrf });
  } catch (error) {
    const { status, code } = error.problem ?? {};
    // Kept before, or perhaps kept although the answer failed: those are not to be forgotten.
    const kept = !(status >= 400 && status < 500) || ['already_registered', 'ceremony_used'].includes(code);
    if (signals && !kept) await signalUnknown(publicKey.rp.id, credential.id);
    throw error;
  }
}

// ---- What the person sees ----
const words = document.getElementById('words')?.dataset ?? {};

const sentence = text => `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

/** Shows the notice of a cause. */
function notify(name) {
  const notice = document.getElementById(`cause-${name}`).content.firstElementChild.cloneNode(true);
  if (name === 'embedded') lead(notice);
  document.getElementById('notices').replaceChildren(notice);
  notice.scrollIntoView({ block: 'nearest' });
  return notice;
}

/** The way out of another app's view: a link, and the address to be pasted where the app keeps the link for itself. */
function lead(notice) {
  const sealed = request();
  const address = sealed ? `${location.origin}/authorize/resume?${new URLSearchParams({ request: sealed })}` : location.href;
  const [copy, field] = notice.querySelectorAll('button, input');
  notice.querySelector('a').href = address;
  field.value = address;
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(address);
      copy.textContent = copy.dataset.done;
    } catch {
      field.parentElement.hidden = false;
      field.select();
    }
  });
}

/** Says what went wrong, if anything did; goes where the server says it can be put right. */
export async function fail(error) {
  if (error.problem?.next) return location.assign(error.problem.next);
  if (error instanceof Offline) return notify('offline');
  if (error instanceof Failed) {
    const name = await cause(error);
    return name && notify(name);
  }
  const { code, detail, request_id: id } = error.problem ?? {};
  if (code === 'origin_mismatch') return notify('host');
  const text = notify('refused').querySelector('span');
  if (detail) text.textContent = sentence(detail);
  if (id) text.append(` ${words.requestId} ${id}`);
}

/** Shows what only works with a passkey, or says why it does not. */
export function ready() {
  const missing = obstacle();
  for (const part of document.querySelectorAll('[data-passkey]')) missing ? part.remove() : part.hidden = false;
  if (missing) notify(missing);
  // A page that comes back from the browser's memory has used-up seals and a waiting button.
  addEventListener('pageshow', event => event.persisted && location.reload());
  return !missing;
}

/** Runs a ceremony behind `button`: busy until it ends, "stop" ends it; then on to the address it gives.
 *  Tells whether the page is being left. */
export async function run(button, ceremony) {
  if (button.getAttribute('aria-busy') === 'true') return true;
  const stop = document.getElementById('passkey-stop');
  const label = button.querySelector('span');
  const before = label.textContent;
  const controller = new AbortController();
  const abort = () => controller.abort();
  const busy = on => {
    button.setAttribute('aria-busy', String(on));
    label.textContent = on ? words.waiting : before;
    if (stop) stop.hidden = !on;
  };
  document.getElementById('notices').replaceChildren();
  stop?.addEventListener('click', abort);
  busy(true);
  try {
    const { next } = await ceremony(controller.signal);
    // The button stays busy: the next page is on its way.
    location.assign(next ?? location.pathname);
    return true;
  } catch (error) {
    const inStop = document.activeElement === stop;
    busy(false);
    if (inStop) button.focus();
    await fail(error);
    return false;
  } finally {
    stop?.removeEventListener('click', abort);
  }
}

/** The sealed authorization request of the page, if it has one. */
export const request = () => document.querySelector('input[name=request]')?.value;
