import type { z } from 'zod';
import { lines, sh } from '../../transport/shell.ts';
import type { Guard } from '../capabilities/access.ts';
import type { Planned } from '../capabilities/order.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import { endedFunction, runOrSay } from '../shell/ended.ts';
import { each } from '../step.ts';
import type { State } from '../state.ts';
import { actionOf, interrupts, overridesIn, record, stepOf, whenDue } from './change.ts';
import { mayHaveRead, withoutPaths } from './foreign.ts';
import { missing, probeServices, type ServiceState } from './probe.ts';
import { restartPaths, schema, type Service } from './schema.ts';
import { startFunction } from './start.ts';

function guard(service: Service, actual: State | null): Guard | undefined {
  const { name } = service;
  if (!(service.guarded ?? /^sshd?\.(service|socket)$/.test(name))) return undefined;
  return {
    unit: name,
    paths: overridesIn(actual),
    keep: sh`systemctl is-active ${name} >"$HW/active" || :`,
    // A restart takes up everything, also where the service has ended.
    restore: lines([
      startFunction,
      sh`systemctl daemon-reload
if ! grep -qx 'active\|reloading\|activating' "$HW/active"; then systemctl stop ${name}; exit; fi
hw_start ${name}`,
      record(service, true),
    ]),
  };
}

/** A static unit is as enabled as it can be; one with an [Install] section in its place is not enabled yet. */
function foresee<Found extends ServiceState>(
  { name }: Service,
  actual: Found | null,
  planned: Planned,
): Found | null {
  const unit = planned(`unit:${name}`)?.desired;
  const content = unit !== undefined && 'content' in unit ? String(unit.content) : '';
  return actual?.unitFile === 'static' && /^\[Install\]/m.test(content)
    ? { ...actual, enabled: false }
    : actual;
}

export const serviceType = defineResource({
  name: 'service',
  summary: 'The state of a systemd unit: running, enabled, and reloaded or restarted when its files change',
  schema,
  key: (service) => service.name,
  want: (service) => ({
    running: service.running,
    enabled: service.enabled,
    overriddenBy: 'nothing',
    unit: 'current',
    restart: 'not due',
    reload: 'not due',
    healthy: service.running ? 'healthy' : undefined,
    current: service.running ? 'current' : undefined,
  }),
  probe: probeServices,
  apply: each(stepOf),
  comparison: {
    computed: ['unitFile', 'undeclared', 'overrides', 'foreign'],
    implied: ['overriddenBy', 'unit', 'restart', 'reload', 'healthy', 'current'],
    action: (attributes, actual) =>
      actual === null || actual.unitFile === missing ? 'create' : actionOf(attributes),
  },
  order: {
    stage: 'service',
    after: (service) => [`unit:${service.name}`],
    requires: ({ name }) => (/\.(service|timer|socket|path)$/.test(name) ? [{ kind: 'unit', name }] : []),
    // It may make users and folders when it starts.
    provides: (_, { kind }) => (kind === 'unit' ? false : 'perhaps'),
    foresee,
  },
  runtime: {
    triggers: (service) =>
      service.running
        ? [
            { action: 'restart', paths: restartPaths(service) },
            { action: 'reload', paths: service.reloadOn },
          ]
        : [],
    whenDue,
    takesUp: ({ undeclared = '' }: Partial<ServiceState>) =>
      undeclared.split('\n').filter((path) => path !== ''),
    withoutPaths,
    mayHaveRead,
    transaction: (service) =>
      service.validate === undefined
        ? undefined
        : {
            trees: [...service.reloadOn, ...service.restartOn],
            validate: lines([endedFunction, runOrSay(service.validate)]),
          },
  },
  access: { guard: ({ desired, actual }) => guard(desired, actual) },
  interruption: { interrupts },
});

/** A systemd unit: `service('nginx', { reloadOn: ['/etc/nginx'], validate: ['nginx', '-t'] })`. */
export function service(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'> = {},
  options?: ResourceOptions,
): Resource {
  return declare(serviceType, { name, ...attributes }, options);
}
