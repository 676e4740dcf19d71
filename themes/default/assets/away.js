// A passkey that works at this host, for a sign-in that goes on at another one.
import { authenticate, ready, request, run } from './passkey.js';

if (ready()) {
  const button = document.getElementById('passkey-login');
  const errand = document.querySelector('input[name=errand]').value;
  button.addEventListener('click', () => run(button, signal => authenticate({ request: request(), errand }, signal)));
}
