import { describe, expect, it } from 'vitest';
import { declaredDigest, updateApplied, type AppliedResource } from '../../src/plan/applied.ts';
import { file } from '../../src/resources/file.ts';
import { placed } from '../../src/testing/index.ts';

describe('updateApplied', () => {
  const motd = placed(file('/etc/motd', { content: 'hello' }));
  const issue = placed(file('/etc/issue', { content: 'hello' }));

  it('notes what is converged and keeps what was noted of the rest', () => {
    const once = { digest: 'of what was applied once', isSecret: true };
    const before = new Map<string, AppliedResource>([[issue.id, once]]);
    const after = updateApplied(before, [motd, issue], (id) => id === motd.id);
    expect(after).toEqual(
      new Map<string, AppliedResource>([
        [issue.id, once],
        [motd.id, declaredDigest(motd)],
      ]),
    );
  });

  it('keeps what a run for some roles did not look at, so that its drift is still seen', () => {
    const before = new Map<string, AppliedResource>([[issue.id, declaredDigest(issue)]]);
    expect(updateApplied(before, [motd], () => true).get(issue.id)).toEqual(declaredDigest(issue));
  });
});
