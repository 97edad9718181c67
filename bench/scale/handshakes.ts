import { connect } from 'node:net';
import { readFile } from 'node:fs/promises';
import pLimit from 'p-limit';
import ssh2 from 'ssh2';
import type { Way } from '../hosts.ts';

/** What it is to be connected, and nothing else: TCP, the keys, the login, the goodbye. */
async function shakeHands(way: Way, username: string, privateKey: Buffer): Promise<void> {
  const client = new ssh2.Client();
  await new Promise<void>((resolve, reject) => {
    client.once('ready', () => client.end());
    client.once('close', resolve);
    client.once('error', reject);
    client.connect({
      sock: connect({ host: way.address, port: way.port, noDelay: true }),
      username,
      privateKey,
      algorithms: { cipher: ['aes128-gcm@openssh.com'], kex: ['curve25519-sha256'] },
      hostVerifier: () => true,
    });
  });
}

// Run as a program of its own, which gets its work as JSON and prints what it took: seconds, without its start.
const [work = ''] = process.argv.slice(2);
const { ways, user, key, forks }: { ways: Way[]; user: string; key: string; forks: number } = JSON.parse(
  await readFile(work, 'utf8'),
);
const privateKey = await readFile(key);
const limit = pLimit(forks);
const began = performance.now();
const before = process.cpuUsage();
await Promise.all(ways.map((way) => limit(() => shakeHands(way, user, privateKey))));
const { user: inUser, system } = process.cpuUsage(before);
const seconds = (performance.now() - began) / 1000;
process.stdout.write(`${JSON.stringify({ seconds, cpu: (inUser + system) / 1e6 })}\n`);
