import { readFile } from 'node:fs/promises';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node } from 'yaml';
import { z } from 'zod';
import { HostwrightError, HostwrightErrors, type FilePlace } from '../errors.ts';
import { schemaProblems } from '../schema-problems.ts';

const percentage = z.string().regex(/^\d{1,3}%$/, 'expected a number of hosts or a percentage such as "30%"');

const play = z.strictObject({
  name: z.string().optional(),
  hosts: z.string({ error: 'expected a host pattern such as web or web:&lb' }),
  roles: z.array(z.string(), { error: 'expected a list of role names' }),
  serial: z.union([z.number().int().positive(), percentage]).optional(),
  max_fail_percentage: z.number().min(0).max(100).optional(),
  optional: z.boolean().optional(),
});

/** One entry of site.yml: which hosts get which roles, how many run at a time, whether there need to be any. */
export type Play = z.output<typeof play> & { readonly place: FilePlace };

function placeOf(node: Node | null | undefined, file: string, counter: LineCounter): FilePlace {
  const offset = node?.range?.[0];
  if (offset === undefined) return { file };
  const { line, col } = counter.linePos(offset);
  return { file, line, column: col };
}

/** The node that a problem is about: the misspelt key itself where there is one. */
function nodeAt(
  item: Node,
  path: readonly string[],
  unknownKey: string | undefined,
): Node | null | undefined {
  let node: unknown = item;
  for (const step of path) {
    if (isMap(node)) node = node.get(step, true) ?? node;
    else if (isSeq(node)) node = node.get(Number(step), true) ?? node;
  }
  if (unknownKey !== undefined && isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && key.value === unknownKey);
    if (pair !== undefined && isScalar(pair.key)) return pair.key;
  }
  return isScalar(node) || isMap(node) || isSeq(node) ? node : item;
}

/** Reads site.yml; throws all its errors as E_SITE. */
export async function readSite(file: string): Promise<readonly Play[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new HostwrightError('E_SITE', 'the site cannot be read', {
      place: { file },
      hint: 'set another site file with --site',
      cause,
    });
  }
  const counter = new LineCounter();
  const document = parseDocument(text, { version: '1.1', lineCounter: counter });
  if (document.errors.length > 0) {
    throw new HostwrightErrors(
      document.errors.map((error) => {
        const { line, col } = counter.linePos(error.pos[0]);
        return new HostwrightError('E_SITE', error.message.split('\n')[0] ?? error.message, {
          place: { file, line, column: col },
        });
      }),
    );
  }
  if (!isSeq(document.contents)) {
    throw new HostwrightError('E_SITE', 'the site is not a list of plays', {
      place: { file, line: 1, column: 1 },
      expected: '- hosts: web\n  roles: [nginx]',
    });
  }
  const errors: HostwrightError[] = [];
  const plays: Play[] = [];
  for (const item of document.contents.items) {
    if (!isMap(item) && !isScalar(item) && !isSeq(item)) continue;
    const parsed = play.safeParse(item.toJS(document));
    if (parsed.success) {
      plays.push({ ...parsed.data, place: placeOf(item, file, counter) });
      continue;
    }
    for (const { path, unknownKey, expected, hint } of schemaProblems(
      play,
      item.toJS(document),
      parsed.error,
    )) {
      errors.push(
        new HostwrightError(
          'E_SITE',
          unknownKey === undefined
            ? `invalid value for ${path.join('.') || 'the play'}`
            : `unknown key ${unknownKey} in a play`,
          {
            place: placeOf(nodeAt(item, path, unknownKey), file, counter),
            expected,
            hint,
          },
        ),
      );
    }
  }
  if (errors.length > 0) throw new HostwrightErrors(errors);
  return plays;
}
