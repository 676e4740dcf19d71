// Where the applications of the tests run: a server in this process, or a program of their own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after } from 'node:test';

/** How long a program may take until it answers, in milliseconds. */
const PATIENCE = 60_000;

/** Options of a program that will not run with the rights of root; root alone can give its own away. */
export const NOBODY = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};

/** Serves until the tests of the file are over; gives the address. */
export async function serve(answer) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => { server.closeAllConnections(); server.close(); });
  return `http://localhost:${server.address().port}`;
}

/** A port nobody listens on now; a client's redirect URI is registered before its program starts. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts a program that serves `url`, waits until it answers, and ends it after the tests of the file. */
export async function start(url, command, options = {}) {
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { log += chunk; }).unref();
  // It ends with this process too: a hook that fails leaves those after it out.
  child.unref();
  const end = () => child.kill('SIGTERM');
  process.on('exit', end);
  after(end);
  const answers = () => fetch(url, { redirect: 'manual' }).then(() => true, () => false);
  for (const deadline = Date.now() + PATIENCE; !await answers();) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${command[0]} (${child.exitCode}) does not serve ${url}: ${log}`);
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  return { log: () => log };
}
