// The product behind TLS, for programs that speak nothing else: a certificate of one hour, and a server that passes on.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as send } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/** Serves `origin` under https until the tests of the file are over; gives the new origin and the certificate's file. */
export async function behindTls(origin) {
  const folder = mkdtempSync(join(tmpdir(), 'idp-tls-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1',
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate], { stdio: 'pipe' });
  const { host } = new URL(origin);
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (asked, response) => {
    const onward = send(origin + asked.url, { method: asked.method, headers: { ...asked.headers, host } }, answer => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    asked.pipe(onward);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => { server.closeAllConnections(); server.close(); });
  return { origin: `https://localhost:${server.address().port}`, certificate };
}
