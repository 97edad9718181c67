import { describe, expect, test } from 'vitest';
import { covers, parseNetwork, type Network } from '../../src/resources/ufw/network.ts';

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === undefined) throw new Error(`${text} is no network`);
  return parsed;
}

describe('networks', () => {
  test.each([
    ['10.0.0.7', '10.0.0.7'],
    ['10.0.0.7/32', '10.0.0.7'],
    ['10.0.0.7/24', '10.0.0.0/24'],
    ['192.168.255.255/9', '192.128.0.0/9'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['::1/128', '::1'],
    ['fe80::/10', 'fe80::/10'],
  ])('%s is written %s', (text, canonical) => {
    expect(network(text).text).toBe(canonical);
  });

  test.each([
    'web1',
    '',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.1/33',
    '::/129',
    '10.0.0.1/',
    'fe80::1%eth0',
    '1:2',
  ])('%j is none', (text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });

  test.each([
    ['10.0.0.0/24', '10.0.0.255', true],
    ['10.0.0.0/24', '10.0.1.0', false],
    ['10.0.0.0/24', '10.0.0.0/23', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['fd00::/8', 'fd12:3456::1', true],
    ['fd00::/8', 'fe80::1', false],
    ['0.0.0.0/0', '::1', false],
  ])('%s covers %s: %j', (outer, inner, expected) => {
    expect(covers(network(outer), network(inner))).toBe(expected);
  });
});
