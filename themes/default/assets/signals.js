// Signals: tells the browser which passkeys are kept here, so that its list holds no dead ones. WebAuthn L3 §5.1.10.
// A signal deletes: only what the server says is kept or unknown is ever named.

const can = name => typeof PublicKeyCredential === 'function' && typeof PublicKeyCredential[name] === 'function';

/** Browsers may refuse a signal, and nobody waits for a slow one. */
async function quietly(signal) {
  try { await signal(); } catch { /* the list stays as it was */ }
}

/** After a sign-in or a change: the whole list, and what the person is called. */
export const signalAll = () => quietly(async () => {
  if (!can('signalAllAcceptedCredentials')) return;
  const options = { headers: { Accept: 'application/json' }, credentials: 'same-origin', signal: AbortSignal.timeout(2000) };
  const answer = await fetch('/webauthn/signals', options);
  if (answer.status !== 200) return;
  const { rpId, userId, allAcceptedCredentialIds, name, displayName } = await answer.json();
  await PublicKeyCredential.signalAllAcceptedCredentials({ rpId, userId, allAcceptedCredentialIds });
  if (can('signalCurrentUserDetails')) {
    await PublicKeyCredential.signalCurrentUserDetails({ rpId, userId, name, displayName });
  }
});

/** A passkey that is not kept here: removed before, or refused just now. */
export const signalUnknown = (rpId, credentialId) => quietly(async () => {
  if (can('signalUnknownCredential')) await PublicKeyCredential.signalUnknownCredential({ rpId, credentialId });
});
