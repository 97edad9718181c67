import { createHash } from 'node:crypto';
import { dirname } from 'node:path/posix';
import { z } from 'zod';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { declare, defineResource, type Probe, type Resource, type ResourceOptions } from '../resource.ts';
import type { Change } from '../state.ts';
import type { ApplyContext, Step } from '../step.ts';
import { overridesIn, removeOverrides } from './change.ts';
import { lineIn, listAt, parseListing, shownPath } from './listing.ts';
import { overridesOf } from './overrides.ts';
import { dropInNames, unitFolders } from './unit-files.ts';
import { providesUnit } from '../path.ts';
import { replaceFunctions } from '../shell/replace.ts';
import { contentOf, entries, largestOf, statProbe } from '../shell/stat.ts';

const schema = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[\w@:-][\w@:.-]*\.(service|timer|socket|path|mount|automount|swap|target|slice)$/,
        'expected the full name of a unit, such as "app.service" or "backup.timer"',
      ),
    dropIn: z
      .string()
      .regex(/^\w[\w.-]*$/, 'expected the name of a drop-in without ".conf"')
      .optional()
      .describe('Writes the drop-in `NAME.d/DROPIN.conf` for the unit of a package, instead of a whole unit'),
    content: z
      .string()
      .optional()
      .describe('The text, see systemd.unit(5). All users can read it: do not put secrets here'),
    absent: z
      .boolean()
      .default(false)
      .describe('Removes the file; a whole unit is stopped and disabled first'),
  })
  .refine((unit) => unit.absent || unit.content !== undefined, {
    message: 'expected the text of the unit',
    path: ['content'],
  });

type Unit = z.output<typeof schema>;

const folder = '/etc/systemd/system';

/** Below /etc/systemd/system. */
function fileName({ name, dropIn }: Unit): string {
  return dropIn === undefined ? name : `${name}.d/${dropIn}.conf`;
}

function file(unit: Unit): string {
  return `${folder}/${fileName(unit)}`;
}

/** What the probe reads of the file of a unit, or of what is in its place. */
type UnitState = {
  readonly kind: string;
  readonly owner: string;
  readonly mode: string;
  readonly content: string;
  readonly entries?: string;
  /** Paths, a space between: drop-ins that nobody declares. */
  readonly overriddenBy?: string;
  /** The same, a line each. */
  readonly overrides?: string;
};

/** The folders of drop-ins of some units. */
function dropInFolders(batch: readonly Unit[]): readonly string[] {
  const names = new Set(batch.flatMap(({ name }) => dropInNames(name)));
  return unitFolders.flatMap((at) => [...names].map((name) => `${at}/${name}`));
}

function bytes(unit: Unit): Uint8Array {
  return Buffer.from(unit.content ?? '');
}

/** The candidates, from standard input, in a tree that systemd-analyze sees before the real one. */
function stage(units: readonly Unit[]): Script {
  return lines(
    units.map((unit) => {
      const candidate = fileName(unit);
      return sh`mkdir -p "$HW/units"/${dirname(candidate)}
head -c ${bytes(unit).length} >"$HW/units"/${candidate}`;
    }),
  );
}

/**
 * systemd goes on past settings that it does not know, so that a misspelt sandbox is none: a warning about
 * one of the candidates is an error here. What it says of other units is only passed on.
 */
function verify(units: readonly Unit[]): Script {
  const names = [...new Set(units.map((unit) => unit.name))];
  return sh`bad=0
SYSTEMD_UNIT_PATH="$HW/units:" systemd-analyze verify --man=no ${names} >"$HW/said" 2>&1 || bad=1
if grep -qF "$HW/units/" "$HW/said"; then bad=1; fi
sed "s|^$HW/units/||" "$HW/said" >&2
[ "$bad" -eq 0 ]`;
}

function install(unit: Unit): Script {
  return sh`hw_replace 0644 ${file(unit)} <"$HW/units"/${fileName(unit)}`;
}

function remove(unit: Unit): Script {
  const target = file(unit);
  if (unit.dropIn !== undefined) {
    return sh`hw_yield ${target}
hw_remove ${target}
rmdir --ignore-fail-on-non-empty ${dirname(target)} 2>/dev/null || :`;
  }
  // What systemd cannot load, it cannot stop either.
  return sh`if [ -f ${target} ]; then
  systemctl disable --quiet ${unit.name}
  if [ "$(systemctl show -p ActiveState --value ${unit.name})" != inactive ]; then systemctl stop ${unit.name}; fi
fi
hw_yield ${target}
hw_remove ${target}`;
}

/** What lies there before a new unit does, nobody has seen as its overrides. */
function removeEarlier(unit: Unit, declared: readonly string[]): Script {
  const folders = unitFolders.flatMap((at) => dropInNames(unit.name).map((name) => `${at}/${name}`));
  return sh`declared=${` ${declared.join(' ')} `}
find ${folders} -maxdepth 1 -name '*.conf' ! -path ${'/run/*/zzz-lxc-*'} 2>/dev/null | while IFS= read -r at; do
  case $declared in *" $at "*) ;; *) rm -f "$at" ;; esac
done`;
}

function step(changes: readonly Change<Unit>[], host: ApplyContext): Step {
  const units = changes.map((change) => change.desired);
  const present = units.filter((unit) => !unit.absent);
  const declared = [...host.declared('unit').map((name) => `${folder}/${name}`), ...units.map(file)];
  const services = host.declared('service');
  // The service of a unit, where it is declared, tells of its drop-ins itself.
  const created = changes
    .filter(({ action, desired }) => action === 'create' && !services.includes(desired.name))
    .map(({ desired }) => desired);
  const script = [
    ...(present.length === 0 ? [] : [stage(present), verify(present)]),
    replaceFunctions,
    ...present.map(install),
    removeOverrides(changes.flatMap(({ actual }) => overridesIn(actual))),
    ...created.map((unit) => removeEarlier(unit, declared)),
    ...units.filter((unit) => unit.absent).map(remove),
    sh`systemctl daemon-reload`,
  ];
  return {
    resources: changes.map((change) => change.id),
    title: `${present.length > 0 ? 'write' : 'remove'} ${units.map(fileName).join(', ')}`,
    script: lines(script),
    stdin: Buffer.concat(present.map(bytes)),
  };
}

export const unitType = defineResource({
  name: 'unit',
  summary:
    'The file of a systemd unit, or a drop-in, verified before it goes live. What overrides it and nobody declares is removed: by its `service` where that is declared, which restarts if it was in effect. A timer is a `unit` and a `service`',
  schema,
  key: fileName,
  want: (unit) => {
    if (unit.absent) return null;
    const sha256 = createHash('sha256').update(bytes(unit)).digest('hex');
    const content = contentOf({ sha256, size: bytes(unit).length });
    return { kind: 'file', owner: 'root', mode: '0644', content, overriddenBy: 'nothing' };
  },
  probe: (batch, host): Probe<UnitState> => {
    // The service of a unit, where it is declared, tells of its drop-ins itself.
    const alone = batch.filter(({ name }) => !host.declares(`service:${name}`));
    const also: Probe = {
      script: listAt(dropInFolders(alone)),
      parse: (output) => {
        const { below } = parseListing(lineIn(output));
        return batch.map((unit) => {
          const overrides = alone.includes(unit) ? overridesOf(unit.name, below, host).map(shownPath) : [];
          return { overriddenBy: overrides.join(' ') || 'nothing', overrides: overrides.join('\n') };
        });
      },
    };
    return {
      ...statProbe({ paths: batch.map(file), hash: largestOf(batch.map(bytes)), weigh: true }, (found) =>
        batch.map((unit) => {
          const stat = found.get(file(unit));
          if (stat === undefined) return null;
          const { kind, owner, mode } = stat;
          return { kind, owner, mode, content: contentOf(stat), ...entries(stat) };
        }),
      ),
      also,
    };
  },
  // Together: a timer is verified with the service that it starts.
  apply: (changes, host) => [step(changes, host)],
  comparison: {
    computed: ['entries', 'overrides'],
  },
  order: { provides: (unit, { kind, name }) => kind === 'unit' && providesUnit(file(unit), name) },
  files: { path: file, modeIsAll: (unit) => [file(unit)], text: (unit) => unit.content ?? null },
});

/**
 * A systemd unit: `unit('backup.timer', { content: template('backup.timer.hbs', vars) })`, or a drop-in:
 * `unit('nginx.service', { dropIn: 'sandbox', content: '[Service]\nProtectSystem=strict\n' })`.
 */
export function unit(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'>,
  options?: ResourceOptions,
): Resource {
  return declare(unitType, { name, ...attributes }, options);
}
