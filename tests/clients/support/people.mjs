// The people who sign in to the applications of the tests, and what becomes of them there.
import { newPerson } from '../../browser/support/browser.mjs';
import { usePasskey } from '../../browser/support/flows.mjs';

export const PASSWORD = 'a mast of four words';
/** `amr` of a synced passkey that verified its user, and of one bound to its device. */
export const SYNCED_AMR = ['mfa', 'pop', 'swk', 'user'];
export const BOUND_AMR = ['hwk', 'mfa', 'pop', 'user'];

/** Somebody who has a password and nothing else. */
export async function withPassword(stage, username) {
  const person = await newPerson(stage);
  await stage.command(`user create ${username} --email ${username}@example.org --password-stdin`, PASSWORD);
  await person.key.present(false);
  return person;
}

/** Takes their sessions away, and the authenticator, which would answer the next sign-in page by itself. */
export async function startOver({ context, key }) {
  await context.clearCookies();
  await key.present(false);
}

/** Makes a passkey with an access pass; a session that is there stays what it was. */
export async function enrol(stage, person, username) {
  const { url } = await stage.command(`access-pass create ${username}`);
  await person.key.present(true);
  await person.page.goto(url);
  await person.page.click('#passkey-create');
  await person.page.waitForURL('**/setup/done');
  await person.key.present(false);
}

/** Signs in with a passkey where an application has sent them, and allows what it asks for. */
export async function signInAndAllow(person) {
  await usePasskey(person);
  await person.page.click('#consent-allow');
}
