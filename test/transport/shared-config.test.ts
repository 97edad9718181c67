import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSharedResolver } from '../../src/transport/shared-config.ts';
import { resolveConfig, type ConfigRequest } from '../../src/transport/ssh-config.ts';
import { temporaryFolder } from './local-shell.ts';

const addresses = [
  'web1',
  'web2',
  'web10.example.com',
  'db1',
  '10.0.0.1',
  '10.0.0.2',
  '::1',
  'Web1',
  '127.1',
];

/** Names that ssh may write in another way are always asked for alone. */
const plain = addresses.filter((address) => !['::1', 'Web1', '127.1'].includes(address)).length;

const configurations: readonly {
  readonly name: string;
  readonly text: string;
  /** Whether hosts can share an answer at all. */
  readonly isShared: boolean;
  readonly more?: string;
  readonly included?: string;
}[] = [
  { name: 'nothing', text: '', isShared: true },
  {
    name: 'one for all',
    text: 'Host *\n  User ops\n  ServerAliveInterval 7\nMatch all\n  ConnectTimeout 9\n',
    isShared: true,
  },
  {
    name: 'some hosts',
    text: 'host web? !web2\n  User web\n  Port 2222\nHost="db*" 10.0.0.*\n\tProxyJump bastion\nHost *.example.com\n  IdentityFile ~/.ssh/example\n',
    isShared: true,
  },
  { name: 'a name for others', text: 'Host web1\n  HostName 192.0.2.7\n', isShared: false },
  { name: 'a name made of the name', text: 'Hostname %h.example.com\n', isShared: false },
  { name: 'a token', text: 'UserKnownHostsFile ~/.ssh/known/%h\n', isShared: false },
  { name: 'a match', text: 'Match host web1,db1\n  User other\n', isShared: false },
  {
    name: 'canonical names',
    text: 'CanonicalizeHostname yes\nCanonicalDomains example.com\n',
    isShared: false,
  },
  {
    name: 'an include',
    text: 'Include FOLDER/more\n',
    included: 'Host db*\n  User included\n',
    isShared: true,
  },
  {
    name: 'an include in a block of others',
    text: 'Host nobody\n  Include FOLDER/more\n',
    included: 'Match host web1\n  User other\n',
    isShared: false,
  },
  { name: 'silence', text: 'Host web1\n  User web\n', more: '-q', isShared: false },
  { name: 'a name on the command line', text: '', more: '-o HostName=192.0.2.9', isShared: false },
  {
    name: 'a user on the command line',
    text: 'Host web1\n  User web\n',
    more: '-o User=cli',
    isShared: true,
  },
];

describe.each(configurations)(
  'an ssh configuration with $name',
  ({ text, more = '', included, isShared }) => {
    it('gives each host what it has when it is asked for alone', async () => {
      const folder = await temporaryFolder();
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'more'), included ?? '');
      await writeFile(join(folder, 'config'), text.replaceAll('FOLDER', folder));
      const alone: string[] = [];
      const resolve = createSharedResolver((request) => {
        alone.push(request.address);
        return resolveConfig(request);
      });
      const requests = addresses.map((address, index): ConfigRequest => ({
        host: address,
        address,
        sshArgs: `-F ${join(folder, 'config')} ${more}`,
        ...(index % 2 === 0 ? {} : { port: 2000 + index }),
      }));
      const found = await Promise.all(requests.map(resolve));
      expect(found).toEqual(await Promise.all(requests.map(resolveConfig)));
      expect(alone).toHaveLength(isShared ? addresses.length - plain : addresses.length);
    });
  },
);

it('has each host resolved alone where ssh refuses the configuration, so that each error names its own', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'config'), 'NoSuchKeyword yes\n');
  const resolve = createSharedResolver(resolveConfig);
  for (const host of ['web1', 'web2']) {
    const request = { host, address: host, sshArgs: `-F ${join(folder, 'config')}` };
    await expect(resolve(request)).rejects.toMatchObject({ code: 'E_CONNECT', place: { host } });
  }
});
