// The product as it is shipped: a process with a data directory of its own on free ports.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const BINARY = process.env.IDP_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug', 'idp');

/** A new data directory; `remove` deletes it. */
export async function newData() {
  const data = await mkdtemp(join(tmpdir(), 'idp-browser-'));
  return { data, remove: () => rm(data, { recursive: true, force: true }) };
}

/**
 * Starts `idp dev` and waits until it is ready.
 * `listen`, `demoListen`: the addresses of an earlier start, so that cookies still fit.
 * `later`: minutes by which its clock is ahead.
 */
export async function start({ data, listen = '127.0.0.1:0', demoListen = '127.0.0.1:0', later = 0 }) {
  const command = [BINARY, 'dev', '--json', '--listen', listen, '--demo-listen', demoListen, '--data', data];
  if (later) command.unshift('faketime', '-f', `+${later}m`);
  // The clock that timers run on stays as it is.
  const env = { ...process.env, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
  const child = spawn(command[0], command.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', chunk => { log += chunk; });
  const ended = once(child, 'exit').then(([code]) => { throw new Error(`the product ended with ${code}: ${log}`); });
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended]);
  ended.catch(() => {});
  const ready = JSON.parse(line);
  const at = url => `127.0.0.1:${new URL(url).port}`;
  return {
    issuer: ready.issuer,
    demo: ready.demo_url,
    setup: ready.setup_url,
    addresses: { listen: at(ready.issuer), demoListen: at(ready.demo_url) },
    log: () => log,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      process.kill(ready.pid, 'SIGTERM');
      await gone;
    },
  };
}

/** Runs a command of the binary on a data directory; gives its JSON. `input` is what it reads. */
export function command(data, words, input = '') {
  return new Promise((resolve, reject) => {
    const child = execFile(BINARY, [...words, '--data', data, '--json'], (error, stdout) => {
      if (error) reject(error);
      else resolve(JSON.parse(stdout));
    });
    child.stdin.end(input);
  });
}
