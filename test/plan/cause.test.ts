import { describe, expect, it } from 'vitest';
import { updateApplied, type Applied } from '../../src/plan/applied.ts';
import { causes } from '../../src/plan/cause.ts';
import { packageFiles } from '../../src/resources/apt/package-files.ts';
import { file } from '../../src/resources/file.ts';
import type { DeclaredResource } from '../../src/resources/resource.ts';
import type { Facts } from '../../src/roles/role.ts';
import { placed } from '../../src/testing/index.ts';

const facts: Facts = {
  os: 'debian',
  codename: 'trixie',
  architecture: 'amd64',
  hostname: 'web1',
  kernel: '6.12.0',
  processors: 2,
  memory: 2 ** 31,
  addresses: ['10.0.0.1', 'fd00::1'],
  interface: 'eth0',
  ipv6: 'on',
};

/** A role whose cache is a quarter of the memory, and which has a file of its own on Debian 12. */
function declare({ memory, codename, addresses }: Facts, greeting = 'hello'): readonly DeclaredResource[] {
  if (codename === 'potato') throw new Error('too old');
  return [
    file('/etc/motd', { content: greeting }),
    file('/etc/cache', { content: String(memory / 4) }),
    file('/etc/bind', { content: `${addresses.join(' ')} ${Math.floor(memory / 2 ** 31)}` }),
    ...(codename === 'bookworm' ? [file('/etc/old', { content: 'old' })] : []),
  ].map((resource) => placed(resource));
}

function appliedTo(then: Facts): Applied {
  const { connection: _, ...ofHost } = then;
  const declared = { resources: declare(then), facts: ofHost, isWhole: true };
  return updateApplied({ resources: new Map() }, declared, () => true);
}

function causeOf(path: string, now: Facts, applied: Applied, greeting?: string) {
  const find = causes({ applied, facts: now, declare: (others) => declare(others, greeting) });
  const resource = declare(now, greeting).find(({ id }) => id === `file:${path}`);
  if (resource === undefined) throw new Error(`no ${path}`);
  const { id, desired } = resource;
  return find({ id, resource, desired, actual: null, action: 'update', attributes: [] });
}

describe('the cause of a change', () => {
  it('is drift where the declaration is that of the last apply, whatever the facts are', () => {
    const larger = { ...facts, memory: 2 ** 32 };
    expect(causeOf('/etc/motd', facts, appliedTo(facts))).toEqual({ cause: 'drift' });
    expect(causeOf('/etc/motd', larger, appliedTo(facts))).toEqual({ cause: 'drift' });
  });

  it('is the configuration where the facts of that time would lead to another declaration too', () => {
    const larger = { ...facts, memory: 2 ** 32 };
    expect(causeOf('/etc/motd', facts, appliedTo(facts), 'bye')).toEqual({ cause: 'configuration' });
    expect(causeOf('/etc/motd', larger, appliedTo(facts), 'bye')).toEqual({ cause: 'configuration' });
  });

  it('is the fact that the declaration was made of, and no other that has changed as well', () => {
    const now = { ...facts, memory: 2 ** 32, kernel: '6.13.0', codename: 'forky' };
    expect(causeOf('/etc/cache', now, appliedTo(facts))).toEqual({
      cause: 'fact',
      facts: [{ name: 'memory', from: '2048 MiB', to: '4096 MiB' }],
    });
  });

  it('names all that decide, and of a list what has gone and what has come', () => {
    const now = { ...facts, memory: 2 ** 32, addresses: ['10.0.0.1', '10.0.0.7'] };
    expect(causeOf('/etc/bind', now, appliedTo(facts)).facts).toEqual([
      { name: 'memory', from: '2048 MiB', to: '4096 MiB' },
      { name: 'addresses', from: 'fd00::1', to: '10.0.0.7' },
    ]);
  });

  it('is drift of what only a deep check looks at, recorded or not', () => {
    const find = causes({ applied: { resources: new Map() }, facts, declare });
    const resource = placed(packageFiles());
    const { id, desired } = resource;
    expect(find({ id, resource, desired, actual: null, action: 'update', attributes: [] })).toEqual({
      cause: 'drift',
    });
  });

  it('is the fact where a resource is declared only because of it', () => {
    expect(causeOf('/etc/old', { ...facts, codename: 'bookworm' }, appliedTo(facts))).toMatchObject({
      cause: 'fact',
      facts: [{ name: 'codename', from: 'trixie', to: 'bookworm' }],
    });
  });

  it('is the configuration where no facts are known, or where the role refuses those of then', () => {
    const larger = { ...facts, memory: 2 ** 32 };
    const { resources } = appliedTo(facts);
    expect(causeOf('/etc/cache', larger, { resources })).toEqual({ cause: 'configuration' });
    const refused = { resources, facts: { ...facts, codename: 'potato' } };
    expect(causeOf('/etc/cache', larger, refused)).toEqual({ cause: 'configuration' });
  });
});
