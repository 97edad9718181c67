import { isIPv4 } from 'node:net';
import { HostwrightError } from '../errors.ts';
import { releases } from './settings.ts';
import type { LabSettings, Release } from './settings.ts';
import type { LabState } from './state.ts';

/** The request of `up`. Missing values stay unchanged; in a new lab they have their defaults. */
export interface LabRequest {
  readonly hosts?: number;
  /** One for all hosts, or one for each. */
  readonly releases?: readonly Release[];
  /** Names of the lab's name server with the host, or the IPv4 address, that each one leads to. */
  readonly domains?: Readonly<Record<string, string>>;
}

const mostHosts = 50;
const defaultDomains = { 'www.foobar.com': 'web1', 'foobar.com': 'web1' };

export function isRelease(name: string): name is Release {
  return releases.some((release) => release === name);
}

/**
 * The lab as it shall be. Pure; E_USAGE for a request that makes no sense, E_LAB for one that a lab which
 * is there already cannot follow.
 * @param baseOf the base tree for a new host of a release
 */
export function planLab(
  settings: LabSettings,
  current: LabState | undefined,
  request: LabRequest,
  baseOf: (release: Release) => string,
): LabState {
  if (current !== undefined && current.subnet !== settings.subnet) {
    throw conflict('subnet', `${current.subnet}.0/24`, `${settings.subnet}.0/24`);
  }
  const count = request.hosts ?? current?.hosts.length ?? 3;
  if (!Number.isInteger(count) || count < 1 || count > mostHosts) {
    throw new HostwrightError('E_USAGE', 'invalid number of hosts', {
      found: String(count),
      expected: `1 to ${mostHosts}`,
      hint: 'use --hosts 3',
    });
  }
  const wanted = request.releases;
  if (wanted !== undefined && wanted.length !== 1 && wanted.length !== count) {
    throw new HostwrightError('E_USAGE', 'the number of releases and hosts differ', {
      found: `${wanted.length} releases for ${count} hosts`,
      expected: 'one release for all hosts, or one for each',
      hint: 'use --release trixie, or --release trixie,bookworm,forky with --hosts 3',
    });
  }
  if (current !== undefined && current.hosts.length > count) {
    throw conflict('hosts', String(current.hosts.length), String(count));
  }
  const hosts = Array.from({ length: count }, (_, index) => {
    const there = current?.hosts[index];
    const release = wanted?.length === 1 ? wanted[0] : wanted?.[index];
    if (there === undefined) {
      return {
        name: `web${index + 1}`,
        number: index + 1,
        release: release ?? 'trixie',
        base: baseOf(release ?? 'trixie'),
      };
    }
    if (release !== undefined && release !== there.release) {
      throw conflict(`release of ${there.name}`, there.release, release);
    }
    return there;
  });
  const domains = { ...(current?.domains ?? defaultDomains), ...request.domains };
  for (const [name, target] of Object.entries(domains)) {
    if (isIPv4(target) || hosts.some((known) => known.name === target)) continue;
    throw new HostwrightError('E_USAGE', 'a domain names an unknown lab host', {
      found: `${name}=${target}`,
      expected: `${hosts.map((known) => known.name).join(', ')}, or an IPv4 address`,
      hint: 'use --domain www.foobar.com=web1',
    });
  }
  return { subnet: settings.subnet, hosts, domains };
}

function conflict(what: string, found: string, expected: string): HostwrightError {
  return new HostwrightError('E_LAB', `the lab already exists with another ${what}`, {
    found,
    expected,
    hint: '`hostwright lab down` first, or set HOSTWRIGHT_LAB to a new name for a second lab',
  });
}
