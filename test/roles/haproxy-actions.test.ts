import { describe, expect, it } from 'vitest';
import { join, leave } from '../../roles/haproxy/actions.ts';
import { variables, type Variables } from '../../roles/haproxy/variables.ts';
import { HostwrightError, type ActionHost, type ActionPlan, type Declared } from '../../src/index.ts';
import { contextOf } from '../../src/testing/index.ts';

/** What a balancer says of itself: `left`, `runs`, `answers`, `has`; undefined: it cannot be reached. */
type Words = string | undefined;

const vars = variables.parse({ domain: 'www.foobar.com' });

async function plan(
  act: typeof leave,
  words: readonly Words[],
  sharing = words.length,
): Promise<ActionPlan & { readonly written: readonly string[] }> {
  const written: string[] = [];
  const hosts = words.map((said, index): ActionHost<Variables> => ({
    ...{ name: `web${index + 1}`, address: `10.0.0.${index + 1}`, groups: ['lb'], vars },
    run: ({ text }) => {
      if (said === undefined) return Promise.reject(new HostwrightError('E_CONNECT', 'no way there'));
      if (!text.includes('is-active')) written.push(`web${index + 1}`);
      return Promise.resolve(said.split(' ').join('\n'));
    },
  }));
  const [host] = hosts;
  if (host === undefined || act.on !== 'host' || act.plan === undefined) throw new Error('no plan');
  const declared = hosts.slice(0, sharing).map((one): Declared => ({
    ...{ kind: 'floating_address', addresses: ['10.0.0.100'], host: one, role: 'floating_address' },
  }));
  const { site } = contextOf(vars, { declared });
  return { ...(await act.plan({ host, hosts, site, args: {} })), written };
}

const ready = 'runs answers';
const holder = `${ready} has`;

describe('leave', () => {
  it('moves the address to a balancer that can take it, and joins again if it breaks off', async () => {
    const planned = await plan(leave, [holder, undefined, ready]);
    expect(planned.steps.map(({ host, title }) => [host, title])).toEqual([
      ['web1', 'give the address up, and do not take it'],
    ]);
    expect(planned.remarks).toEqual(['the address moves: open connections of visitors are reset']);
    await planned.steps[0]?.run();
    await planned.steps[0]?.undo?.run();
    expect(planned.written).toEqual(['web1', 'web1']);
    await expect(planned.verify()).rejects.toThrow(/no other balancer has taken the address/);
  });

  it('is done when another one has the address', async () => {
    expect((await plan(leave, [ready, holder])).remarks).toEqual([]);
    expect(await (await plan(leave, [ready, holder])).verify()).toMatch(/^web2 has the address/);
    expect((await plan(leave, ['left runs answers', holder])).steps).toEqual([]);
  });

  it.each([
    ['keepalived does not run', 'answers'],
    ['HAProxy does not answer', 'runs'],
    ['has left', 'left runs answers'],
    ['cannot be reached', undefined],
  ])('is refused while no other one could take it: it %s', async (reason, other) => {
    await expect(plan(leave, [holder, other])).rejects.toMatchObject({
      code: 'E_REFUSED',
      found: `web2 ${reason}`,
    });
  });

  it('counts only balancers with the same address, and wants one', async () => {
    await expect(plan(leave, [holder, ready], 1)).rejects.toMatchObject({ code: 'E_REFUSED' });
    await expect(plan(leave, [ready, ready], 0)).rejects.toThrow(/web1 shares no address/);
  });
});

describe('join', () => {
  it('undoes it, and moves nothing', async () => {
    const planned = await plan(join, ['left runs answers', holder]);
    expect(planned.steps.map(({ title }) => title)).toEqual(['take part again']);
    expect((await plan(join, [ready, holder])).steps).toEqual([]);
    expect(await (await plan(join, [ready, holder])).verify()).toMatch(/^web1 takes the address when/);
  });

  it('says what is missing', async () => {
    await expect((await plan(join, ['runs', holder])).verify()).rejects.toThrow(/HAProxy does not answer/);
  });
});
