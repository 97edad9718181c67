import { describe, expect, it } from 'vitest';
import {
  declaredDigest,
  hasApplied,
  isSameRecord,
  parseApplied,
  updateApplied,
  writeApplied,
  type Applied,
} from '../../src/plan/applied.ts';
import { file } from '../../src/resources/file.ts';
import type { HostFacts } from '../../src/roles/role.ts';
import { placed } from '../../src/testing/index.ts';

const motd = placed(file('/etc/motd', { content: 'hello' }));
const issue = placed(file('/etc/issue', { content: 'hello' }));

const facts: HostFacts = {
  os: 'debian',
  codename: 'trixie',
  architecture: 'amd64',
  hostname: 'web1',
  kernel: '6.12.0',
  processors: 2,
  memory: 2 ** 31,
  addresses: ['10.0.0.1'],
  interface: 'eth0',
  ipv6: 'on',
  container: false,
};
const larger = { ...facts, memory: 2 ** 32 };

describe('updateApplied', () => {
  const run = { resources: [motd, issue], facts: larger, isWhole: true };
  const before: Applied = { resources: new Map([[issue.id, declaredDigest(issue)]]), facts };

  it('notes what is converged and keeps what was noted of the rest', () => {
    const once = { digest: 'of what was applied once', isSecret: true };
    const after = updateApplied(
      { resources: new Map([[issue.id, once]]) },
      { ...run, facts },
      (id) => id === motd.id,
    );
    expect(after.resources).toEqual(
      new Map([
        [issue.id, once],
        [motd.id, declaredDigest(motd)],
      ]),
    );
  });

  it('keeps what a run for some roles did not look at, so that its drift is still seen', () => {
    const after = updateApplied(before, { resources: [motd], facts: larger, isWhole: false }, () => true);
    expect(after.resources.get(issue.id)).toEqual(declaredDigest(issue));
    expect(after.facts).toEqual(facts);
  });

  it('notes the facts of which everything was applied', () => {
    expect(updateApplied(before, run, () => true).facts).toEqual(larger);
    expect(updateApplied({ resources: new Map() }, run, () => false).facts).toEqual(larger);
  });

  it('keeps the facts of before where something of the new ones is not applied yet', () => {
    expect(updateApplied(before, run, (id) => id === motd.id).facts).toEqual(facts);
  });

  it('is not written again for facts that decide about nothing', () => {
    const all = updateApplied(before, { ...run, facts }, () => true);
    expect(
      isSameRecord(
        all,
        updateApplied(all, run, () => true),
      ),
    ).toBe(true);
  });
});

describe('hasApplied', () => {
  it('knows what was applied and not removed since', () => {
    const removed = placed(file('/etc/motd', { absent: true }));
    const had = hasApplied({ resources: new Map([[motd.id, declaredDigest(motd)]]) });
    expect([had(motd.id), had(issue.id)]).toEqual([true, false]);
    const run = { resources: [removed], facts, isWhole: true };
    const resources = new Map([motd, issue].map((one) => [one.id, declaredDigest(one)] as const));
    const now = hasApplied(updateApplied({ resources }, run, () => true));
    expect([now(motd.id), now(issue.id)]).toEqual([false, true]);
  });
});

describe('the record on a host', () => {
  const record: Applied = {
    resources: new Map([[motd.id, declaredDigest(motd)]]),
    facts,
  };

  const written = ({ stdin = new Uint8Array() } = writeApplied(record)): string =>
    Buffer.from(stdin).toString();

  it('is read as it was written', () => {
    expect(parseApplied(Buffer.from(written()))).toEqual(record);
  });

  it('is read without facts, as earlier versions have written it, and with facts of another form', () => {
    const [, ...lines] = written().split('\n');
    const { resources } = record;
    const old = lines.join('\n');
    expect(parseApplied(Buffer.from(old))).toEqual({ resources });
    for (const line of ['facts {"memory":', 'facts {"memory":"much"}', 'facts []'])
      expect(parseApplied(Buffer.from(`${line}\n${old}`))).toEqual({ resources });
    expect(parseApplied(Buffer.from(`facts {"memory":1,"later":2}\n${old}`))).toEqual({
      resources,
      facts: { memory: 1 },
    });
  });
});
