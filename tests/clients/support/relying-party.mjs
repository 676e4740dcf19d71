// A small web application on npm's openid-client, which is used as its documentation shows.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after } from 'node:test';
import * as client from 'openid-client';

const SHOWN = 'shown';

function show(response, value) {
  const text = JSON.stringify(value).replace(/[<&]/g, c => `&#${c.charCodeAt(0)};`);
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    .end(`<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>App</title><pre id="${SHOWN}">${text}</pre>`);
}

/**
 * Registers a client by `flags` of `idp client create` and serves it. `authentication` makes openid-client's way to
 * authenticate from the secret; without it the client is public. `request` makes the address of an authorization request
 * from its parameters, `dpop` is the key pair that tokens are bound to, `host` a name of this machine.
 */
export async function openRelyingParty(stage, id, flags, authentication,
  { request: authorization = client.buildAuthorizationUrl, scope = 'openid profile email', dpop, host = 'localhost' } = {}) {
  let sent; // what the last sign-in has to match
  let tokens;
  let config;
  const handlers = {
    async '/sign-in'(request, response) {
      const { asked, maxAge } = JSON.parse(request.searchParams.get('asked'));
      const verifier = client.randomPKCECodeVerifier();
      sent = { pkceCodeVerifier: verifier, expectedNonce: client.randomNonce(), expectedState: client.randomState(), maxAge };
      const to = await authorization(config, {
        redirect_uri: `${url}/callback`, scope, nonce: sent.expectedNonce, state: sent.expectedState,
        code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
        ...maxAge !== undefined && { max_age: String(maxAge) }, ...asked,
      }, bound);
      response.writeHead(302, { location: to.href }).end();
    },
    async '/callback'(request, response) {
      tokens = await client.authorizationCodeGrant(config, request, { ...sent, idTokenExpected: true }, undefined, bound);
      const claims = tokens.claims();
      const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub, bound);
      show(response, { claims, userinfo, nonce: sent.expectedNonce });
    },
    '/sign-out'(_, response) {
      const to = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: `${url}/bye` });
      response.writeHead(302, { location: to.href }).end();
    },
    '/bye': (_, response) => show(response, { bye: true }),
  };
  const server = createServer(async (incoming, response) => {
    const request = new URL(incoming.url, url);
    try {
      await (handlers[request.pathname] ?? (() => response.writeHead(404).end()))(request, response);
    } catch (error) {
      show(response, { error: error.error ?? error.code ?? String(error), description: error.error_description ?? error.message });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => { server.closeAllConnections(); server.close(); });
  const url = `http://${host}:${server.address().port}`;

  const made = await stage.command(`client create ${id} --name ${id} --redirect-uri ${url}/callback `
    + `--post-logout-redirect-uri ${url}/bye ${flags}`);
  config = await client.discovery(new URL(stage.product.issuer), id, undefined,
    authentication ? authentication(made.client_secret) : client.None(), { execute: [client.allowInsecureRequests] });

  const bound = dpop && { DPoP: client.getDPoPHandle(config, dpop) };
  const shown = async page => JSON.parse(await page.textContent(`#${SHOWN}`));
  /** The address that begins a sign-in with further parameters. */
  const address = (asked = {}, maxAge) => `${url}/sign-in?asked=${encodeURIComponent(JSON.stringify({ asked, maxAge }))}`;
  return {
    id,
    config,
    address,
    /** What the token endpoint gave at the last sign-in. */
    tokens: () => tokens,
    /** Sends a person to sign in; they end at a page of the provider, or at once back here. */
    begin: ({ page }, ...asked) => page.goto(address(...asked)),
    /** Waits until they are back; gives claims and userinfo, or the error. */
    async end({ page }) {
      await page.waitForURL(`${url}/callback?**`);
      return shown(page);
    },
    /** Signs them out by the provider; gives what they see at the end. */
    async signOut({ page }) {
      await page.goto(`${url}/sign-out`);
      await page.waitForURL(`${url}/bye`);
      return shown(page);
    },
  };
}
