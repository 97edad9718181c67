import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostwright } from '../hosts.ts';
import { timed } from '../process.ts';
import type { Listed, Login } from './network.ts';

const folder = '/var/lib/hostwright-lab/scale';
const subnet = '10.213.96';
const environment = { HOSTWRIGHT_LAB: 'scale', HOSTWRIGHT_LAB_SUBNET: subnet, NO_COLOR: '1' };

export const login: Login = { user: 'admin', privateKeyFile: join(folder, 'ssh/id_ed25519') };

export async function up(): Promise<readonly Listed[]> {
  await down();
  await timed({ words: [hostwright, 'lab', 'up', '--hosts', '3'], environment });
  const known = (await readFile(join(folder, 'ssh/known_hosts'), 'utf8')).split('\n');
  return ['web1', 'web2', 'web3'].map((name, index) => {
    const address = `${subnet}.${11 + index}`;
    const line = known.find((entry) => {
      const [names = '', type] = entry.split(' ');
      return type === 'ssh-ed25519' && names.split(',').includes(address);
    });
    if (line === undefined) throw new Error(`the lab does not say how ${name} is known`);
    return { name, address, port: 22, hostKey: line.split(' ').slice(1, 3).join(' ') };
  });
}

export async function down(): Promise<void> {
  await timed({ words: [hostwright, 'lab', 'down'], environment });
}
