// Security: adds a passkey on this device, on a phone or on a security key.
import { ready, register, run } from './passkey.js';
import { signalAll } from './signals.js';

// After a change of the list or of names, and whenever somebody looks at it.
signalAll();

const KEPT = 'passkey-name';
const name = document.getElementById('passkey-name');
// Without the field (the account is full) there is nothing to do here.
if (name && ready()) {
  // A sign-in may come between: the name that was typed is there afterwards.
  if (!location.search) name.value ||= sessionStorage.getItem(KEPT) ?? '';
  sessionStorage.removeItem(KEPT);
  for (const button of document.querySelectorAll('button[data-kind]')) {
    button.addEventListener('click', () => {
      sessionStorage.setItem(KEPT, name.value);
      run(button, signal => register({ kind: button.dataset.kind }, name.value.trim(), signal));
    });
  }
}
