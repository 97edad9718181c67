import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checksums, countingWriter, doorOfApplication, lost, type Counted } from '../lab/counting-writer.ts';
import { jsonLines, type Finished, type TestHosts } from '../lab/hosts.ts';

const writer = 'web1';

function succeeded(finished: Finished): void {
  expect(finished.code, finished.stdout + finished.stderr).toBe(0);
}

const sql = async (hosts: TestHosts, host: string, statement: string): Promise<string> =>
  (await hosts.shell(host, 'mysql --no-defaults -BN', `${statement};\n`)).trim();

/** Hosts that have lost their power are there again; the lab writes the inventory anew. */
async function powerIsBack(hosts: TestHosts): Promise<void> {
  const declared = join(hosts.inventory, 'group_vars/db.yml');
  const text = await readFile(declared);
  await hosts.powerIsBack();
  await writeFile(declared, text);
}

async function counting(hosts: TestHosts) {
  const writing = await countingWriter(hosts, await doorOfApplication(hosts, writer));
  const more = async (): Promise<void> => {
    const before = await writing.count();
    await expect.poll(writing.count, { timeout: 120_000, interval: 250 }).toBeGreaterThan(before + 50);
  };
  await more();
  return { ...writing, more };
}

async function areEqual(hosts: TestHosts): Promise<void> {
  const both = async () => await Promise.all(['web2', 'web3'].map((host) => checksums(hosts, host)));
  await expect.poll(async () => new Set(await both()).size, { timeout: 120_000, interval: 1000 }).toBe(1);
}

async function noneMissing(hosts: TestHosts, host: string, what: string, counted: Counted): Promise<void> {
  const missing = await lost(hosts, host, counted);
  console.log(
    `${what}: ${counted.acknowledged.length} rows, ${missing.length} lost, ${counted.again} found by a retry, ${counted.outage.toFixed(1)} s without an acknowledgement`,
  );
  expect(missing).toEqual([]);
}

/** A person lets the other database of the whole site take the writes, while rows are written through a proxy. */
export function databasePromotions(site: () => TestHosts): void {
  const promote = (host: string, ...words: readonly string[]) =>
    site().hostwright('do', 'mysql', 'promote', host, '--yes', '--json', ...words);

  it.each([
    ['web3', 'web2'],
    ['web2', 'web3'],
  ])('a planned switch to %s loses no write, and the servers are equal', async (to) => {
    const hosts = site();
    const writing = await counting(hosts);
    const promoted = await promote(to);
    succeeded(promoted);
    // The application is restarted, one host after the other, because it is told who the primary is.
    const restarts = jsonLines(promoted).filter(({ action }) => action === 'restart');
    expect(restarts.map(({ resource }) => resource)).not.toContain('service:mysql.service');
    await writing.more();
    await noneMissing(hosts, to, `planned switch to ${to}`, await writing.stop());
    succeeded(await hosts.hostwright('plan', '--json'));
    await areEqual(hosts);
  });

  it('the power of both is lost and comes back: writes go on without a person', async () => {
    const hosts = site();
    const writing = await counting(hosts);
    await Promise.all(['web2', 'web3'].map(hosts.losePower));
    await powerIsBack(hosts);
    await writing.more();
    await noneMissing(hosts, 'web2', 'power of both databases', await writing.stop());
    await areEqual(hosts);
  });

  it('the power of the primary is lost, commits are strict, and a person promotes the other: none is lost', async () => {
    const hosts = site();
    await writeFile(
      join(hosts.inventory, 'group_vars/db.yml'),
      'mysql_durability: strict\nmysql_primary: web2\n',
    );
    succeeded(await hosts.hostwright('apply', '--yes', '--json', '--no-diff'));
    const writing = await counting(hosts);
    await hosts.losePower('web2');
    const word = Date.now();
    const promoted = await promote('web3', '--yes-it-is-dead');
    succeeded(promoted);
    await writing.more();
    const counted = await writing.stop();
    const after = (counted.outageFrom.getTime() - word) / 1000 + counted.outage;
    await noneMissing(hosts, 'web3', `power of the primary, ${after.toFixed(1)} s after the word`, counted);

    await powerIsBack(hosts);
    const own = async (host: string) =>
      await sql(hosts, host, "SELECT REPLACE(@@gtid_executed, CHAR(10), '')");
    await expect.poll(() => own('web2').catch(() => ''), { timeout: 60_000 }).not.toBe('');
    expect(await sql(hosts, 'web2', 'SELECT @@super_read_only')).toBe('1');
    const errant = await sql(
      hosts,
      'web3',
      `SELECT GTID_SUBTRACT('${await own('web2')}', REPLACE(@@gtid_executed, CHAR(10), ''))`,
    );
    const consent = errant === '' ? [] : ['-e', `mysql_discard_transactions=${errant}`];
    if (errant !== '') {
      const refused = await hosts.hostwright('apply', '--yes', '--no-diff');
      expect(refused.code).toBe(1);
      expect(refused.stdout).toContain(errant);
    }
    succeeded(await hosts.hostwright('apply', '--yes', '--json', '--no-diff', ...consent));
    await areEqual(hosts);
  });
}
