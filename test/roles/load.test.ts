import {
  chmodSync,
  mkdtempSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createJiti } from 'jiti';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as api from '../../src/index.ts';
import { cacheFolder } from '../../src/roles/jiti.ts';
import { loadRole } from '../../src/roles/load.ts';

let folder: string;
let file: string;

const text = `import { defineRole, file, z } from 'hostwright';
export default defineRole({
  name: 'greeting',
  variables: z.object({}),
  resources: () => [file('/etc/greeting')],
});
`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hostwright-test-'));
  file = join(folder, 'roles/greeting/role.ts');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** The function of the role, as it was compiled. */
async function loaded(): Promise<string> {
  const { role } = await loadRole('greeting', [join(folder, 'roles')], { ...api });
  return role.resources.toString();
}

describe('a role that is compiled', () => {
  it('is kept for the next run in a folder of the user alone', async () => {
    expect(await loaded()).toContain('/etc/greeting');
    const cache = join(folder, 'cache/hostwright/roles');
    expect(statSync(cache).mode & 0o777).toBe(0o700);
    expect(readdirSync(cache)).toHaveLength(1);
  });

  it('is never taken from where others could have put it', async () => {
    const shared = join(folder, 'shared');
    vi.stubEnv('TMPDIR', shared);
    const loader = resolve(import.meta.dirname, '../../src/roles/load.ts');
    const options = { virtualModules: { hostwright: { ...api } }, interopDefault: true, moduleCache: false };
    await createJiti(loader, { ...options, fsCache: join(shared, 'jiti') }).import(file);
    const planted = readdirSync(join(shared, 'jiti')).map((name) => join(shared, 'jiti', name));
    expect(planted).toHaveLength(1);
    for (const one of planted) {
      writeFileSync(one, readFileSync(one, 'utf8').replaceAll('/etc/greeting', '/etc/planted'));
    }
    expect(await loaded()).toContain('/etc/greeting');
  });

  it('is not kept where others can write, or where there is no place for it', async () => {
    const cache = join(folder, 'cache/hostwright/roles');
    mkdirSync(cache, { recursive: true });
    chmodSync(cache, 0o777);
    expect(cacheFolder(process.env)).toBeUndefined();
    expect(await loaded()).toContain('/etc/greeting');
    expect(readdirSync(cache)).toEqual([]);
    expect(cacheFolder({ XDG_CACHE_HOME: file })).toBeUndefined();
    expect(cacheFolder({ XDG_CACHE_HOME: 'relative', HOME: folder })).toBe(
      join(folder, '.cache/hostwright/roles'),
    );
  });
});
