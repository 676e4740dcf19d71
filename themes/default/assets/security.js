// Security: adds a passkey on this device, on a phone or on a security key.
import { ready, register, run } from './passkey.js';

const name = document.getElementById('passkey-name');
// Without the field (the account is full) there is nothing to do here.
if (name && ready()) {
  for (const button of document.querySelectorAll('button[data-kind]')) {
    button.addEventListener('click', () => run(button, signal => register({ kind: button.dataset.kind }, name.value.trim(), signal)));
  }
}
