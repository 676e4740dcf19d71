// After a sign-in by password: a passkey made without a dialogue where browser and password manager can (WebAuthn L3
// §5.1.3, conditional mediation). Nobody waits for it, and nobody hears of it here; the server mails whom it concerns.
import { capabilities, supported } from './causes.js';
import { register } from './passkey.js';

// A manager that is asked answers at once or not at all; what it made is still kept after that.
const PATIENCE_MS = 2000;
const link = document.getElementById('go-on');
const goOn = () => location.replace(link.href);

async function upgrade() {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const over = new Promise(done => signal.addEventListener('abort', () => done({})));
  const { conditionalCreate } = await Promise.race([capabilities(), over]);
  if (!conditionalCreate) return;
  const request = new URL(link.href).searchParams.get('request') ?? undefined;
  await register({ mediation: 'conditional', request }, undefined, signal);
}

if (supported) {
  // Some managers do not heed the signal.
  setTimeout(goOn, 2 * PATIENCE_MS);
  upgrade().catch(() => {}).finally(goOn);
} else {
  goOn();
}
