// Sign-up: the form was good; now the passkey, and with it the account.
import { ready, register, request, run } from './passkey.js';

const form = document.getElementById('sign-up');
const create = document.getElementById('passkey-create');
const { username } = form.elements;
const traits = JSON.parse(form.elements['all-traits'].value);

if (ready()) {
  const asked = { username: username.value, traits, request: request() };
  create.addEventListener('click', () => run(create, signal => register(asked, undefined, signal)));
}
