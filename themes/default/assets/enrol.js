// A passkey made in the midst of a sign-in, which then goes on.
import { ready, register, run } from './passkey.js';

if (ready()) {
  const button = document.getElementById('passkey-create');
  button.addEventListener('click', () => run(button, async signal => {
    await register({}, '', signal);
    return { next: button.dataset.next };
  }));
}
