// Set-up: the first owner names themselves and makes a passkey; an access pass makes one for its account.
import { ready, register, run } from './passkey.js';

const form = document.getElementById('setup');
const create = document.getElementById('passkey-create');
const pass = form.elements.pass.value;
const able = ready();

create?.addEventListener('click', () => run(create, signal => register({ pass }, undefined, signal)));
// Without that button it is the first owner, whose form has nothing to post but a ceremony.
if (!create) {
  form.addEventListener('submit', event => {
    event.preventDefault();
    const { username, email } = form.elements;
    const asked = { pass, username: username.value.trim(), traits: { email: email.value.trim() } };
    if (able) run(document.getElementById('setup-submit'), signal => register(asked, undefined, signal));
  });
}
