// Enrolment in the midst of a sign-in: a passkey of the kind that is chosen; then the sign-in goes on.
import { ready, register, request, run } from './passkey.js';

if (ready()) {
  for (const button of document.querySelectorAll('button[data-kind]')) {
    const asked = { kind: button.dataset.kind, request: request() };
    button.addEventListener('click', () => run(button, signal => register(asked, undefined, signal)));
  }
}
