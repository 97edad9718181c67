import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path/posix';
import { z } from 'zod';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import type { Change } from '../state.ts';
import type { ApplyContext, Step } from '../step.ts';
import { providesUnit } from '../path.ts';
import { replaceFunctions } from '../shell/replace.ts';
import { contentOf, entries, largestOf, parseStat, statProbe } from '../shell/stat.ts';

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

/** Where people and programs put drop-ins; those of packages are below /usr and are changed by drop-ins here. */
const dropInFolders = [folder, '/run/systemd/system', `${folder}.control`, '/run/systemd/system.control'];

/** Prints the drop-ins of all units in a line. */
function dropInProbe(batch: readonly Unit[]): Script {
  const names = [...new Set(batch.map(({ name }) => name))];
  const folders = names.flatMap((name) => dropInFolders.map((at) => `${at}/${name}.d`));
  return sh`find ${folders} -maxdepth 1 -name '*.conf' ! -name '*[[:space:]]*' -printf '%p ' 2>/dev/null || :
echo`;
}

/** Drop-ins that nobody declares and that win over this one: all over a whole unit, over a drop-in later names. */
function overriding(unit: Unit, found: string, batch: readonly Unit[]): string {
  const declared = new Set(batch.map(file));
  const own = `/${unit.name}.d`;
  const all = found.split(' ').filter((at) => dirname(at).endsWith(own) && !declared.has(at));
  const winning = all.filter((at) => unit.dropIn === undefined || basename(at) > basename(file(unit)));
  return winning.toSorted().join(' ') || 'nothing';
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

/** As `overriding` finds them; `declared` are paths. */
function removeOverriding(unit: Unit, declared: readonly string[]): Script {
  const own = unit.dropIn === undefined ? '' : basename(file(unit));
  return sh`declared=${` ${declared.join(' ')} `}
find ${dropInFolders.map((at) => `${at}/${unit.name}.d`)} -maxdepth 1 -name '*.conf' 2>/dev/null | while IFS= read -r at; do
  case $declared in *" $at "*) continue ;; esac
  if LC_ALL=C expr "x$(basename "$at")" '>' ${`x${own}`} >/dev/null; then rm -f "$at"; fi
done`;
}

function step(changes: readonly Change<Unit>[], host: ApplyContext): Step {
  const units = changes.map((change) => change.desired);
  const present = units.filter((unit) => !unit.absent);
  const declared = host.declared('unit').map((name) => `${folder}/${name}`);
  const script = [
    ...(present.length === 0 ? [] : [stage(present), verify(present)]),
    replaceFunctions,
    ...present.map(install),
    ...present.map((unit) => removeOverriding(unit, declared)),
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
    'The file of a systemd unit, or a drop-in, verified before it goes live. Drop-ins of others that would override it are removed. A timer is a `unit` and a `service`',
  schema,
  key: fileName,
  want: (unit) => {
    if (unit.absent) return null;
    const sha256 = createHash('sha256').update(bytes(unit)).digest('hex');
    const content = contentOf({ sha256, size: bytes(unit).length });
    return { kind: 'file', owner: 'root', mode: '0644', content, overriddenBy: 'nothing' };
  },
  probe: (batch) => {
    const { script, stdin } = statProbe(batch.map(file), { hash: largestOf(batch.map(bytes)), weigh: true });
    return {
      script: lines([dropInProbe(batch), script]),
      stdin,
      parse: (output) => {
        const end = output.indexOf('\n');
        if (end < 0) throw new RangeError('the answer about drop-ins is cut off');
        const dropIns = output.subarray(0, end).toString('utf8');
        const found = parseStat(output.subarray(end + 1));
        return batch.map((unit) => {
          const stat = found.get(file(unit));
          if (stat === undefined) return null;
          return {
            kind: stat.kind,
            owner: stat.owner,
            mode: stat.mode,
            content: contentOf(stat),
            overriddenBy: overriding(unit, dropIns, batch),
            ...entries(stat),
          };
        });
      },
    };
  },
  // Together: a timer is verified with the service that it starts.
  apply: (changes, host) => [step(changes, host)],
  comparison: {
    computed: ['entries'],
    // A drop-in that is declared beside it is nobody else's.
    together: true,
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
