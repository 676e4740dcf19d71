// Answers that travel otherwise than by a redirect: a form that is posted to the application, with and without scripts,
// and frames that tell applications of a sign-out.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { newPerson, SYNCED } from './support/browser.mjs';
import { signedInOwner } from './support/flows.mjs';
import { openStage } from './support/stage.mjs';

const stage = await openStage();
const { issuer } = stage.product;
const ada = await newPerson(stage, { key: SYNCED });
const { page } = ada;
await signedInOwner(stage, ada);

/** What reached the application, newest last. */
const received = [];
async function listen(answer) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => { server.closeAllConnections(); server.close(); });
  return `http://localhost:${server.address().port}`;
}
const html = '<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>there</title><h1 id="there">there</h1>';
// The callback goes on to another origin, as many do.
const beyond = await listen((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(html));
const url = await listen(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  received.push({ method: request.method, path: request.url, form: Object.fromEntries(new URLSearchParams(body)) });
  if (request.url.startsWith('/callback')) return response.writeHead(303, { location: `${beyond}/` }).end();
  return response.writeHead(200, { 'content-type': 'text/html' }).end(html);
});
const verifier = randomBytes(32).toString('base64url');
const challenge = createHash('sha256').update(verifier).digest('base64url');
await stage.command(
  `client create shop --public --name Shop --redirect-uri ${url}/callback --post-logout-redirect-uri ${url}/bye ` +
  `--frontchannel-logout-uri ${url}/signed-out`,
);
const signIn = parameters => `${issuer}/authorize?${new URLSearchParams({
  client_id: 'shop', redirect_uri: `${url}/callback`, response_type: 'code', response_mode: 'form_post', scope: 'openid',
  state: '"><b>here', code_challenge: challenge, code_challenge_method: 'S256', ...parameters,
})}`;
const redeem = async code => {
  const body = new URLSearchParams({
    grant_type: 'authorization_code', client_id: 'shop', redirect_uri: `${url}/callback`, code, code_verifier: verifier,
  });
  return (await fetch(`${issuer}/token`, { method: 'POST', body })).json();
};

test('the code is posted, and the application sends the browser on', async () => {
  await page.goto(signIn());
  await page.click('#consent-allow');
  await page.waitForURL(`${beyond}/`);
  const { method, form } = received.at(-1);
  assert.deepEqual([method, form.state, form.iss], ['POST', '"><b>here', issuer]);
  assert.ok((await redeem(form.code)).id_token);
});

test('an error is posted, too', async () => {
  await page.goto(signIn({ prompt: 'none', max_age: '0' }));
  await page.waitForURL(`${beyond}/`);
  assert.equal(received.at(-1).form.error, 'login_required');
});

test('without scripts a button posts it', async () => {
  const context = await stage.browser.newContext({ javaScriptEnabled: false });
  after(() => context.close());
  await context.addCookies(await page.context().cookies());
  const plain = await context.newPage();
  await plain.goto(signIn());
  assert.equal(new URL(plain.url()).origin, issuer, 'nothing posts by itself');
  await plain.click('#form-post-submit');
  await plain.waitForURL(`${beyond}/`);
  assert.ok(received.at(-1).form.code);
});

test('signing out loads the page of each application in a frame and goes on', async () => {
  await page.goto(signIn());
  await page.waitForURL(`${beyond}/`);
  const { id_token: token } = await redeem(received.at(-1).form.code);
  const { sid } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
  await page.goto(`${issuer}/logout?${new URLSearchParams({
    id_token_hint: token, post_logout_redirect_uri: `${url}/bye`, state: 'gone',
  })}`);
  await page.waitForURL(`${url}/bye?state=gone`);
  const told = received.find(({ path }) => path.startsWith('/signed-out'));
  const query = new URL(told.path, url).searchParams;
  assert.deepEqual([query.get('iss'), query.get('sid')], [issuer, sid]);
});
