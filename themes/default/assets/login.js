// Sign-in: the passkey button, and passkeys offered in the field's autofill (WebAuthn L3 §5.1.4, conditional mediation).
import { authenticate, fail, ready, request, run } from './passkey.js';

// A challenge lives five minutes; a page may be open for an hour.
const RENEW_MS = 4 * 60 * 1000;
// Refused so often in a row, the autofill keeps quiet; the button still works.
const REFUSALS = 3;
const username = document.getElementById('username');
const named = () => (username?.readOnly && username.value) || undefined;
const button = document.getElementById('passkey-login');
const waiting = () => button.getAttribute('aria-busy') === 'true';
let autofill = null;

const visible = () => document.visibilityState === 'visible' ? undefined
  : new Promise(done => document.addEventListener('visibilitychange', done, { once: true }));

/** Waits quietly until a passkey is picked from the autofill; asks for a new challenge before the old one ends. */
async function listen() {
  for (let refused = 0; refused < REFUSALS;) {
    await visible();
    // Meanwhile the button was pressed, and a browser runs one ceremony at a time.
    if (waiting()) return;
    const mine = autofill = new AbortController();
    const renew = setTimeout(() => mine.abort('renew'), RENEW_MS);
    try {
      const { next } = await authenticate({ username: named(), mediation: 'conditional', request: request() }, mine.signal);
      return location.assign(next);
    } catch (error) {
      if (mine.signal.aborted && mine.signal.reason === 'renew') continue;
      // Nobody asked for anything yet: only a picked passkey that was refused is worth a word, and another try.
      if (mine.signal.aborted || error.path !== '/webauthn/authenticate') return;
      refused += 1;
      fail(error);
    } finally {
      clearTimeout(renew);
    }
  }
}

if (ready()) {
  const quietly = async () => await PublicKeyCredential.isConditionalMediationAvailable?.() && listen();
  button.addEventListener('click', async () => {
    autofill?.abort('button');
    const leaving = await run(button, signal => authenticate({ username: named(), request: request() }, signal));
    if (!leaving) quietly();
  });
  quietly();
}
