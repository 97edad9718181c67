import { describe, expect, test } from 'vitest';
import {
  cachingSha2,
  isCachingSha2,
  nativePassword,
  sha256Crypt,
} from '../../../src/resources/mysql/password.ts';

const long = 'a very much longer text to encrypt.  This one even stretches over morethan one line.';

describe('caching_sha2_password', () => {
  // As `openssl passwd -5 -salt SALT PASSWORD` prints it.
  test.each([
    ['Hello world!', 'saltstring', '5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
    [long, 'anotherlongsalts', 'xDOFsdwNAstVE3491M3cBSSbHS4ksOOPoR7XlHBf4G1'],
    ['Grüße 🐬 '.repeat(10), 'x', 'Tvh/8nqDwXSKlgL.ZyhQs0yMtU9X5FwjUN/uhVC70N4'],
  ])('hashes %j with the salt %j as OpenSSL does', (password, salt, hash) => {
    expect(sha256Crypt(Buffer.from(password), Buffer.from(salt), 5000)).toBe(hash);
  });

  test('knows the password of a hash that MySQL 9.7 has made itself, with its 10,000 rounds', () => {
    const hash = Buffer.from(
      '244124303041246539696D3A1F5A201558696C2B207F2C4C566A313956784E674C596F78382E43336552456357656C704C5667356330684E43387A524348526535753555452F',
      'hex',
    );
    expect(isCachingSha2(hash, 'x')).toBe(true);
    expect(isCachingSha2(hash, 'X')).toBe(false);
  });

  test('makes a hash with a salt of its own each time', () => {
    const [first, second] = [cachingSha2('geheim'), cachingSha2('geheim')];
    expect(first.equals(second)).toBe(false);
    for (const hash of [first, second]) {
      expect(hash.toString()).toMatch(/^\$A\$005\$[./0-9A-Za-z]{63}$/);
      expect(isCachingSha2(hash, 'geheim')).toBe(true);
      expect(isCachingSha2(hash, 'geheim ')).toBe(false);
    }
  });

  test.each([
    [10, true],
    [11, false],
    [4095, false],
  ])('of %i thousand rounds is computed: %s', (thousands, isComputed) => {
    const salt = Buffer.from('A'.repeat(20));
    // Beyond the limit nothing is computed, so that no round of the hash need be right.
    const hash = sha256Crypt(Buffer.from('x'), salt, Math.min(thousands, 11) * 1000);
    const rounds = thousands.toString(16).toUpperCase().padStart(3, '0');
    expect(isCachingSha2(Buffer.from(`$A$${rounds}$${salt.toString()}${hash}`), 'x')).toBe(isComputed);
  });

  test.each(['', 'x', '$A$005$short', '*B69027D44F6E5EDC07F1AEAD1477967B16F28227'])(
    'a hash of another kind (%j) is that of no password',
    (hash) => {
      expect(isCachingSha2(Buffer.from(hash), 'x')).toBe(false);
    },
  );
});

test('mysql_native_password is as MariaDB has it', () => {
  expect(nativePassword('x')).toBe('*B69027D44F6E5EDC07F1AEAD1477967B16F28227');
});
