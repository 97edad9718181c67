import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { ensureServerCertificate, readAuthority } from './authority.ts';
import { dnsAddress } from './dns.ts';
import { awaitProcess, ensureProcess, findProcess } from './process.ts';
import type { ProcessPlan } from './process.ts';
import { labFolders, machineAddress } from './settings.ts';
import type { LabSettings } from './settings.ts';

// The replacement of Let's Encrypt: pebble on the bridge. It keeps everything in memory; after a restart it has a new
// root, no accounts and no orders, which is a case that clients must cope with anyway.

const port = 14_000;
const managementPort = 15_000;
const record = (settings: LabSettings): string => join(labFolders(settings).run, 'acme');

export const acmeDirectory = (settings: LabSettings): string =>
  `https://${machineAddress(settings)}:${port}/dir`;

/** The root that pebble issues from, for clients that verify the site. */
export const acmeRoot = (settings: LabSettings): string => join(labFolders(settings).home, 'acme-root.pem');

/**
 * Starts pebble where it does not run, and fetches its root certificate.
 * @param environment pebble's own settings from the caller's environment (`PEBBLE_…`) win over ours.
 */
export async function ensureAcme(
  settings: LabSettings,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const { acme: folder, log } = labFolders(settings);
  const address = machineAddress(settings);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { key, certificate } = await ensureServerCertificate(settings, folder);
  const configuration = join(folder, 'pebble.json');
  await writeFile(
    configuration,
    JSON.stringify({
      pebble: {
        listenAddress: `${address}:${port}`,
        managementListenAddress: `${address}:${managementPort}`,
        certificate,
        privateKey: key,
        httpPort: 80,
        tlsPort: 443,
        ocspResponderURL: '',
        // As the real one has it, in seconds; pebble itself issues for five years.
        certificateValidityPeriod: 90 * 86_400,
        externalAccountBindingRequired: false,
      },
    }),
  );
  const plan: ProcessPlan = {
    title: 'ACME CA',
    record: record(settings),
    log: join(log, 'acme.log'),
    command: ['pebble', '-strict', '-config', configuration, '-dnsserver', dnsAddress(settings)],
    environment: { PEBBLE_WFE_NONCEREJECT: '30', PEBBLE_AUTHZREUSE: '0', ...pebbleSettings(environment) },
  };
  await ensureProcess(plan);
  const authority = (await readAuthority(settings)) ?? '';
  await awaitProcess(plan, 10_000, async () => {
    const root = await get(`https://${address}:${managementPort}/roots/0`, authority).catch(() => undefined);
    if (root === undefined) return false;
    await writeFile(acmeRoot(settings), root);
    return true;
  });
}

function pebbleSettings(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => entry[0].startsWith('PEBBLE_') && entry[1] !== undefined,
    ),
  );
}

async function get(url: string, authority: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const call = request(url, { ca: authority, timeout: 2000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => {
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    call.on('timeout', () => call.destroy(new Error('timeout')));
    call.on('error', reject);
    call.end();
  });
}

export async function acmeReady(settings: LabSettings): Promise<boolean> {
  if ((await findProcess(record(settings))) === undefined) return false;
  const authority = (await readAuthority(settings)) ?? '';
  return await get(acmeDirectory(settings), authority).then(
    () => true,
    () => false,
  );
}
