// Second factor: a passkey of the one account that is asked for it.
import { authenticate, ready, request, run } from './passkey.js';

if (ready()) {
  const button = document.getElementById('passkey-login');
  const { username } = document.querySelector('[data-username]').dataset;
  button.addEventListener('click', () => run(button, signal => authenticate({ username, request: request() }, signal)));
}
