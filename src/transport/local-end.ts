import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { HostwrightError } from '../errors.ts';
import type { SshConfig } from './ssh-config.ts';

type Family = 0 | 4 | 6;

/** Where TCP to a host starts, as `net.connect` takes it. */
export interface LocalEnd {
  /** 0 for both. */
  readonly family: Family;
  readonly localAddress?: string;
}

const families = { any: 0, inet: 4, inet6: 6 } as const;

/** What AddressFamily, BindAddress and BindInterface ask for; E_CONNECT where the interface has no address. */
export function localEnd(host: string, config: SshConfig): LocalEnd {
  const family = families[config.addressFamily];
  if (config.bindAddress !== undefined) return { family, localAddress: config.bindAddress };
  if (config.bindInterface === undefined) return { family };
  const literal = isIP(config.hostName);
  const wanted: readonly Family[] =
    literal === 4 || literal === 6 ? [literal] : family === 0 ? [4, 6] : [family];
  const addresses = networkInterfaces()[config.bindInterface] ?? [];
  for (const one of wanted) {
    const found = addresses.find((address) => address.family === `IPv${one}` && !address.scopeid);
    if (found !== undefined) return { family: one, localAddress: found.address };
  }
  throw new HostwrightError('E_CONNECT', `${config.bindInterface} has no address to connect from`, {
    place: { host },
    found:
      addresses.length === 0
        ? 'no such interface, or it is down'
        : addresses.map(({ address }) => address).join(', '),
    expected: `an address of ${wanted.map((one) => `IPv${one}`).join(' or ')}`,
    hint: 'see BindInterface of the ssh configuration',
  });
}
