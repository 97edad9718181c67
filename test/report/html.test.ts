import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { pageData } from '../../src/report/html/page-data.ts';
import { htmlPage } from '../../src/report/html/page.ts';
import { change, host, origin, result, summary } from './terminal.ts';

const parts = { script: 'draw()', style: 'body { margin: 0 }' };
const end = summary(
  { web1: host(), web2: host(), db1: host() },
  { command: 'apply', ok: false, run: origin() },
);

it('has the same change of many hosts once, and failures first', () => {
  const events = [
    change('web1', 'x', { diff: '+a' }),
    change('web2', 'x', { diff: '+a' }),
    change('db1', 'x', { diff: '+b' }),
    result('web1', 'x', { at: 1, ms: 2, step: 1 }),
    result('web2', 'x', { at: 3, ms: 4, step: 2 }),
    result('db1', 'x', { outcome: 'failed', reason: 'boom' }),
  ];
  expect(pageData(events, end).groups).toMatchObject([
    {
      change: { outcome: 'failed', reason: 'boom', diff: '+b' },
      hosts: [2],
      at: [-1],
      ms: [expect.any(Number)],
    },
    { change: { outcome: 'changed', diff: '+a' }, hosts: [0, 1], at: [1, 3], ms: [2, 4], steps: [1, 2] },
  ]);
});

it('shows what has no result as planned', () => {
  expect(pageData([change('web1', 'x')], end).groups).toMatchObject([{ change: { outcome: 'planned' } }]);
});

it('is one file that runs nothing but its own script, whatever is in the events', () => {
  const evil = '</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>\u2028"\'&';
  const page = htmlPage(
    pageData([change('web1', 'x', { diff: evil, why: evil }), result('web1', 'x', { reason: evil })], end),
    parts,
  );
  expect(page.match(/<script/g)).toHaveLength(2);
  expect(page.match(/<\/script>/g)).toHaveLength(2);
  expect(page).not.toContain('<img');
  const hashes = [...page.matchAll(/sha256-([^']+)'/g)].map(([, hash]) => hash);
  expect(hashes).toEqual(
    [parts.script, parts.style].map((text) => createHash('sha256').update(text).digest('base64')),
  );
  expect(page).toContain(`content="default-src 'none'; script-src 'sha256-`);
  const [, json = ''] = /id="data">(.*?)<\/script>/s.exec(page) ?? [];
  expect(JSON.parse(json)).toMatchObject({ groups: [{ change: { diff: evil, why: evil, reason: evil } }] });
});
