import type { Damage } from './damage.ts';
import type { Refusal } from './refusal.ts';

/** Each part in a shell of its own, so that one that fails does not end the next. */
function parts(scripts: readonly string[]): string {
  return scripts
    .map((script, index) => `(\nset -e\n${script}\n) </dev/null >/dev/null 2>&1\necho "${index} $?"`)
    .join('\n');
}

type Part = Pick<Damage, 'breaks' | 'sound'>;

/** Shell that does all damages of a host. */
export function breaking(damages: readonly Part[]): string {
  return parts(damages.map(({ breaks }) => breaks));
}

/** Shell that looks at a host by other means than those of Hostwright. */
export function inspection(damages: readonly Part[]): string {
  return parts(damages.map(({ sound }) => sound));
}

/** Shell that takes the causes away. */
export function undoing(refusals: readonly Refusal[]): string {
  return parts(refusals.map(({ undo }) => undo));
}

/** Whether each part has succeeded. */
export function outcomes(output: string, count: number): readonly boolean[] {
  const found = new Map([...output.matchAll(/^(\d+) (\d+)$/gm)].map(([, at, code]) => [Number(at), code]));
  return Array.from({ length: count }, (_, index) => {
    const code = found.get(index);
    if (code === undefined) throw new RangeError(`no outcome of part ${index} in:\n${output}`);
    return code === '0';
  });
}
