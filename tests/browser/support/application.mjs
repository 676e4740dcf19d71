// An application of a few lines whose callback sends the browser on to a third origin, as many do.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after } from 'node:test';

async function listen(answer) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => { server.closeAllConnections(); server.close(); });
  return `http://localhost:${server.address().port}`;
}

const page = (response, id) => response.writeHead(200, { 'content-type': 'text/html' })
  .end(`<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>${id}</title><h1 id="${id}">${id}</h1>`);

/** Registers a public client and serves it. `flags`: more of `idp client create`. */
export async function openApplication(stage, id, flags = '') {
  const beyond = await listen((_, response) => page(response, 'beyond'));
  const url = await listen((_, response) => response.writeHead(302, { location: beyond + _.url }).end());
  const uris = `--redirect-uri ${url}/callback --post-logout-redirect-uri ${url}/bye`;
  await stage.command(`client create ${id} --public --name ${id} ${uris} ${flags}`.trim());
  const verifier = randomBytes(32).toString('base64url');
  return {
    /** The address that begins a sign-in. */
    signIn(parameters = {}) {
      const query = new URLSearchParams({
        client_id: id, redirect_uri: `${url}/callback`, response_type: 'code', scope: 'openid email', state: 'here',
        code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
        ...parameters,
      });
      return `${stage.product.issuer}/authorize?${query}`;
    },
    /** The address that begins a sign-out. */
    signOut(token) {
      const query = new URLSearchParams({ post_logout_redirect_uri: `${url}/bye`, client_id: id });
      if (token) query.set('id_token_hint', token);
      return `${stage.product.issuer}/logout?${query}`;
    },
    /** Waits until the browser is beyond the callback; gives the answer: a code or an error, or nothing at sign-out. */
    async arrival(person, path = '/callback') {
      await person.page.waitForURL(`${beyond}${path}**`);
      return Object.fromEntries(new URL(person.page.url()).searchParams);
    },
    /** Redeems a code; gives the ID token and its claims. */
    async redeem({ code }) {
      const body = new URLSearchParams({
        grant_type: 'authorization_code', code, client_id: id, redirect_uri: `${url}/callback`, code_verifier: verifier,
      });
      const answer = await fetch(`${stage.product.issuer}/token`, { method: 'POST', body });
      const { id_token: token, ...rest } = await answer.json();
      if (!token) throw new Error(JSON.stringify(rest));
      return { token, claims: JSON.parse(Buffer.from(token.split('.')[1], 'base64url')) };
    },
  };
}
