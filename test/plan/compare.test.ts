import { describe, expect, it } from 'vitest';
import { compare } from '../../src/plan/compare.ts';
import { fileType } from '../../src/resources/file.ts';
import { ufwType } from '../../src/resources/ufw/ufw.ts';
import { Secret } from '../../src/secrets/secret.ts';
import { asDeclared } from '../../src/testing/index.ts';

const declared = (attributes: object) => fileType.schema.parse({ path: '/etc/app.conf', ...attributes });

describe('compare', () => {
  it('finds nothing where every declared attribute is as it should be', () => {
    const file = declared({ content: 'a\n' });
    expect(compare(fileType, file, asDeclared(fileType, file))).toBeUndefined();
  });

  it('leaves alone what is not declared', () => {
    const file = declared({});
    const actual = { ...asDeclared(fileType, declared({ content: 'made by hand' })) };
    expect(compare(fileType, file, actual)).toBeUndefined();
  });

  it('names each attribute that differs, from what to what', () => {
    const file = declared({ mode: '0600', owner: 'app' });
    const actual = { kind: 'file', mode: '0644', owner: 'root', group: 'root' };
    expect(compare(fileType, file, actual)).toEqual({
      action: 'update',
      attributes: [
        { name: 'owner', from: 'root', to: 'app' },
        { name: 'mode', from: '0644', to: '0600' },
      ],
    });
  });

  it('names what must go where a type asks for exactly what is declared', () => {
    const desired = ufwType.schema.parse({ rules: [{ port: 22, why: 'ssh' }] });
    const actual = { ...asDeclared(ufwType, desired), 'allow 23/tcp': 'telnet' };
    expect(compare(ufwType, desired, actual)).toEqual({
      action: 'update',
      attributes: [{ name: 'allow 23/tcp', from: 'telnet', to: undefined }],
    });
  });

  it('creates what is absent and deletes what should be', () => {
    expect(compare(fileType, declared({}), null)?.action).toBe('create');
    expect(compare(fileType, declared({ absent: true }), { kind: 'directory' })?.action).toBe('delete');
    expect(compare(fileType, declared({ absent: true }), null)).toBeUndefined();
  });

  it('sees that a secret has changed, and shows neither the old nor the new one', () => {
    const file = declared({ content: new Secret('new') });
    const actual = asDeclared(fileType, declared({ content: new Secret('old') }));
    const difference = compare(fileType, file, actual);
    expect(difference?.attributes.map(({ name }) => name)).toEqual(['content']);
    expect(JSON.stringify(difference)).toContain('"from":"***","to":"***"');
    expect(compare(fileType, file, asDeclared(fileType, file))).toBeUndefined();
  });
});
