import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Secret } from '../../src/secrets/secret.ts';
import { findTemplate, openTemplates } from '../../src/template/folders.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hostwright-templates-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

describe('templates in folders', () => {
  test('the first folder that has it wins', () => {
    const ours = write('ours/nginx/app.conf.hbs', 'ours');
    const own = write('own/nginx/app.conf.hbs', 'own');
    expect(findTemplate('nginx/app.conf.hbs', [join(folder, 'own'), join(folder, 'ours')])).toBe(own);
    expect(findTemplate('nginx/app.conf.hbs', [join(folder, 'none'), join(folder, 'ours')])).toBe(ours);
  });

  test('one that is nowhere names where it was looked for', () => {
    expect(() => findTemplate('a.hbs', ['/nowhere/one', '/nowhere/two'])).toThrow(
      expect.objectContaining({
        code: 'E_TEMPLATE',
        message: 'the template "a.hbs" does not exist',
        found: 'no such file in /nowhere/one and /nowhere/two',
      }),
    );
  });

  test.each(['../secret', '/etc/passwd', 'a/../../b', ''])('%j leads out of the folder', (name) => {
    write('secret', 'x');
    expect(() => findTemplate(name, [join(folder, 'own')])).toThrow('is not a valid template name');
  });

  test('a template finds the partials beside it', () => {
    write('nginx/app.conf.hbs', 'server {\n  {{> tls}}\n}\n');
    write('nginx/tls.hbs', 'ssl_certificate {{certificate}};\n');
    const template = openTemplates([folder]);
    expect(template('nginx/app.conf.hbs', { certificate: '/x.pem' })).toBe(
      'server {\n  ssl_certificate /x.pem;\n}\n',
    );
    expect(() => template('nginx/app.conf.hbs', {})).toThrow(
      expect.objectContaining({ place: { file: join(folder, 'nginx/tls.hbs'), line: 1, column: 19 } }),
    );
  });

  test('a partial cannot come from elsewhere', () => {
    write('secret.hbs', 'x');
    write('nginx/app.conf.hbs', '{{> ../secret}}');
    expect(() => openTemplates([folder])('nginx/app.conf.hbs', {})).toThrow(
      expect.objectContaining({ code: 'E_TEMPLATE' }),
    );
  });

  test('a secret makes the text secret', () => {
    write('a.hbs', '{{password}}');
    expect(openTemplates([folder])('a.hbs', { password: new Secret('x') })).toBeInstanceOf(Secret);
  });
});
