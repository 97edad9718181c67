import { describe, expect, it } from 'vitest';
import { planDrain } from '../../src/plan/drain.ts';
import type { PlannedChange } from '../../src/plan/host-plan.ts';
import { packageType } from '../../src/resources/apt/package.ts';
import { serviceType } from '../../src/resources/service/service.ts';
import type { DeclaredResource } from '../../src/resources/resource.ts';
import type { Action, State } from '../../src/resources/state.ts';
import { sh } from '../../src/transport/shell.ts';

const drain = { name: 'web', inHand: sh`echo 0`, noticed: 3, ended: 70 };
const serving = { drain, roles: new Set(['nginx', 'app']) };

function change(
  type: DeclaredResource['type'],
  attributes: object,
  role: string,
  { action, actual, names = [] }: { action: Action; actual: State | null; names?: readonly string[] },
): PlannedChange {
  const desired = type.schema.parse(attributes);
  const id = `${type.name}:${type.key(desired)}` as const;
  const resource = { id, type, desired, needs: [], role, play: 0 };
  return {
    ...{ id, resource, desired, actual, action },
    attributes: names.map((name) => ({ name, from: undefined, to: undefined })),
  };
}

function drained(...changes: readonly PlannedChange[]): readonly string[] {
  return [...(planDrain(serving, changes)?.changes ?? [])];
}

const running = { running: true, overrides: '' };

describe('a host that serves is taken out of service', () => {
  it('for a restart of what requests pass through, and not for a reload', () => {
    const nginx = (action: Action, actual: State | null = running) =>
      change(serviceType, { name: 'nginx' }, 'nginx', { action, actual, names: [action] });
    expect(drained(nginx('restart'))).toEqual(['service:nginx.service']);
    expect(drained(nginx('reload'))).toEqual([]);
    expect(drained(nginx('restart', { ...running, running: 'failed' }))).toEqual([]);
    expect(drained(nginx('create', null))).toEqual([]);
  });

  it('for a stop, and for a unit that somebody has overridden', () => {
    const stopped = change(serviceType, { name: 'nginx', running: false }, 'nginx', {
      ...{ action: 'update', actual: running, names: ['running'] },
    });
    const overridden = change(serviceType, { name: 'app' }, 'app', {
      ...{ action: 'update', names: ['overriddenBy'] },
      actual: { running: true, overrides: '/run/systemd/system/app.service.d/x.conf' },
    });
    expect(drained(stopped, overridden)).toEqual(['service:nginx.service', 'service:app.service']);
  });

  it('for packages of any role, which restart what uses them, but not for new ones', () => {
    const installed = (actual: State | null) =>
      change(packageType, { name: 'openssl' }, 'base', { action: 'update', actual, names: ['installed'] });
    expect(drained(installed({ installed: false, held: false }))).toEqual(['package:openssl']);
    expect(drained(installed(null))).toEqual([]);
  });

  it('and not for services of other roles, nor where it serves nobody', () => {
    const mysql = change(serviceType, { name: 'mysql' }, 'mysql', {
      ...{ action: 'restart', actual: running, names: ['restart'] },
    });
    expect(drained(mysql)).toEqual([]);
    expect(planDrain(undefined, [mysql])).toBeUndefined();
  });
});
