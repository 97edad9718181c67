import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bareHosts, jsonLines, type Finished, type Line, type TestHosts } from './hosts.ts';
import { cases, type Case } from './property-cases.ts';

/** Takes its resources from a file, so that each case is a matter of three runs. */
const role = `
import { defineRole, directory, file, line, link, service, unit, user, group, z } from 'hostwright';
const make = { directory, file, line, link, service, unit, user, group: group };
export default defineRole({
  name: 'property',
  variables: z.object({}),
  resources: ({ asset }) =>
    JSON.parse(asset('case.json').toString()).map(([type, key, attributes]) => make[type](key, attributes)),
});
`;

interface Site {
  readonly hosts: TestHosts;
  readonly project: string;
}

async function hostwright({ hosts, project }: Site, ...words: readonly string[]): Promise<Finished> {
  return await hosts.hostwright(...words, '--json', '-i', join(project, 'hosts.yml'));
}

function named(finished: Finished, type: string): readonly string[] {
  return jsonLines(finished)
    .filter((line) => line.type === type)
    .map((line: Line) => `${String(line['action'])} ${String(line['resource'])}`)
    .toSorted();
}

/** What went wrong with a case, or undefined. */
async function attempt(site: Site, { resources, damage }: Case): Promise<string | undefined> {
  const { hosts, project } = site;
  await writeFile(join(project, 'roles/property/case.json'), JSON.stringify(resources));
  await hosts.ssh('web1', damage.map((command) => `{ ${command}; } 2>/dev/null`).join('\n'));
  const plan = await hostwright(site, 'plan');
  const apply = await hostwright(site, 'apply', '--yes');
  const again = await hostwright(site, 'plan');
  const failures = jsonLines(apply).filter((line) => line.type === 'error' || line['outcome'] === 'failed');
  const found = {
    codes: [[0, 2].includes(plan.code ?? -1), apply.code, again.code],
    failures,
    done: named(apply, 'result'),
    left: jsonLines(again).filter((line) => line.type === 'change'),
  };
  const wanted = { codes: [true, 0, 0], failures: [], done: named(plan, 'change'), left: [] };
  if (JSON.stringify(found) === JSON.stringify(wanted)) return undefined;
  return [plan, apply, again].map(({ stdout, stderr }) => `${stdout}${stderr}`).join('\n');
}

async function oneHost(): Promise<Site> {
  const hosts = await bareHosts('property', '10.213.93', 1);
  const project = await mkdtemp(join(tmpdir(), 'hostwright-property-'));
  await mkdir(join(project, 'roles/property'), { recursive: true });
  await writeFile(join(project, 'roles/property/role.ts'), role);
  await copyFile(join(hosts.inventory, 'hosts.yml'), join(project, 'hosts.yml'));
  await writeFile(join(project, 'site.yml'), '- hosts: web\n  roles: [property]\n');
  return { hosts, project };
}

/** Damages a host of its own in random ways, and expects of each plan that it was true. */
export function expectTruePlans(count: number, seed: number): void {
  let site: Site;

  beforeAll(async () => {
    site = await oneHost();
  });

  afterAll(async () => {
    await site.hosts.down();
    await rm(site.project, { recursive: true, force: true });
  });

  it(
    `names all that apply does, and leaves nothing, in ${count} cases of damage by hand`,
    { timeout: 60_000 + count * 20_000 },
    async () => {
      for (const [index, one] of fc.sample(cases, { seed, numRuns: count }).entries()) {
        const wrong = await attempt(site, one);
        const text = `case ${index} of seed ${seed}\n${one.resources.map((it) => JSON.stringify(it)).join('\n')}\nafter\n${one.damage.join('\n')}`;
        expect(wrong, text).toBeUndefined();
      }
    },
  );
}
