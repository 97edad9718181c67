import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { stepsOf } from '../../site/media/page.ts';
import { terminalPicture } from '../../site/media/picture.ts';

const docs = resolve(import.meta.dirname, '../../docs');

it('finds files, commands and the pictures of their output in a page', () => {
  const page = [
    '# A page',
    '`site.yml`:\n\n```yaml\n- hosts: all\n```',
    '`drift` is a word at the beginning of a sentence:\n\n```sh\nhostwright drift\n```',
    'Text with `code`:\n\n- no block',
    '```sh\nhostwright plan\nhostwright apply\n```\n\n![both](media/both.svg)',
    '```sh fails\nfalse\n```',
    '```yaml\nnot: run\n```',
  ].join('\n\n');
  expect(stepsOf(`${page}\n`)).toEqual([
    { kind: 'file', path: 'site.yml', text: '- hosts: all\n' },
    { kind: 'commands', lines: ['hostwright drift'], fails: false, picture: undefined },
    {
      kind: 'commands',
      lines: ['hostwright plan', 'hostwright apply'],
      fails: false,
      picture: 'media/both.svg',
    },
    { kind: 'commands', lines: ['false'], fails: true, picture: undefined },
  ]);
});

it('shows commands and coloured output as text of a picture', () => {
  const picture = terminalPicture([
    { kind: 'command', text: 'hostwright plan' },
    { kind: 'output', text: '\u001B[32m+ file\u001B[39m a<b \u001B[1m\u001B[31mx\u001B[39m\u001B[22m & y' },
  ]);
  expect(picture).toContain('>$ hostwright plan</tspan>');
  expect(picture).toContain(
    '<tspan class="green">+ file</tspan> a&lt;b <tspan class="bold red">x</tspan> &amp; y</text>',
  );
  expect(picture).not.toContain('\u001B');
});

it('breaks long lines, and keeps their colour', () => {
  const picture = terminalPicture([{ kind: 'output', text: `\u001B[31m${'x'.repeat(150)}\u001B[39m` }]);
  expect(picture).toContain(`<tspan class="red">${'x'.repeat(100)}</tspan>`);
  expect(picture).toContain(`<tspan class="red">${'x'.repeat(50)}</tspan>`);
});

it.each(['start.md', 'tutorial.md'])('each picture of %s is there, and begins with its command', (name) => {
  for (const step of stepsOf(readFileSync(join(docs, name), 'utf8'))) {
    if (step.kind === 'file' || step.picture === undefined) continue;
    const file = resolve(dirname(join(docs, name)), step.picture);
    expect(existsSync(file), `${step.picture} is missing: npm run site:media`).toBe(true);
    const text = readFileSync(file, 'utf8').replaceAll(/<[^>]+>/g, '');
    for (const line of step.lines) {
      expect(text, 'npm run site:media').toContain(
        `$ ${line.replaceAll('&', '&amp;').replaceAll('>', '&gt;')}`,
      );
    }
  }
});
