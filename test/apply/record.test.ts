import { expect, it } from 'vitest';
import { openJournal } from '../../src/apply/journal.ts';
import { writeLast } from '../../src/apply/record.ts';
import type { Request, Transport } from '../../src/transport/transport.ts';
import { origin } from '../report/terminal.ts';

const full = 'sh: 4: cannot create /var/lib/hostwright/journal: No space left on device\n';

/** A host that answers the sections of one request with these codes, and keeps what it was asked. */
function host(codes: readonly number[]): Transport & { readonly asked: Request[] } {
  const asked: Request[] = [];
  const headers = codes.map((code) => `${code} 0 ${code === 0 ? 0 : full.length}\n`);
  const stdout = Buffer.from([...headers, ...codes.filter((code) => code !== 0).map(() => full)].join(''));
  return {
    ...{ host: 'web1', roundTrips: 0, asked, stop: () => undefined, close: () => Promise.resolve() },
    stream: () => Promise.reject(new Error('not asked for')),
    request: (request) => {
      asked.push(request);
      return Promise.resolve({ code: 0, stdout, stderr: Buffer.alloc(0) });
    },
  };
}

function note() {
  const journal = openJournal(origin(), undefined);
  journal.begin([{ id: 'file:/etc/x', action: 'update' }]);
  return journal.end(new Map([['file:/etc/x', 'changed']]), { ms: 1, isInterrupted: false });
}

const record = { resources: new Map() };

it('is one request, behind which the host ends the connection', async () => {
  const web1 = host([0, 0]);
  expect(await writeLast(web1, record, note())).toBeUndefined();
  expect(web1.asked).toMatchObject([{ isLast: true }]);
});

it('says that the journal cannot be written, and that is all', async () => {
  expect(await writeLast(host([1]), undefined, note())).toMatch(/No space left on device$/);
  expect(await writeLast(host([0, 1]), record, note())).toMatch(/No space left on device$/);
});

it('is an error where the record cannot be written', async () => {
  await expect(writeLast(host([1, 0]), record, note())).rejects.toMatchObject({ code: 'E_REMOTE' });
});

it('asks nothing of a host on which nothing was begun', async () => {
  const web1 = host([]);
  const journal = openJournal(origin(), undefined);
  const failed = journal.end(new Map([['file:/etc/x', 'failed']]), { ms: 1, isInterrupted: false });
  expect(failed?.stdin?.toString()).toMatch(/^\{"run":"1","start".*\n\{"run":"1","ms":1,"ok":false/);
  const nothing = journal.end(new Map([['file:/etc/x', 'skipped']]), { ms: 1, isInterrupted: false });
  expect(await writeLast(web1, undefined, nothing)).toBeUndefined();
  expect(web1.asked).toEqual([]);
});
