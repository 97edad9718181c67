import { describe, expect, test } from 'vitest';
import { didYouMean, nearest } from '../src/suggestion.ts';

describe('names that were meant', () => {
  test('the nearest comes first', () => {
    expect(nearest('nginx_wokers', ['nginx_worker', 'nginx_workers', 'mysql_port'])).toEqual([
      'nginx_workers',
      'nginx_worker',
    ]);
  });

  test('two neighbours in the wrong order are one edit', () => {
    expect(nearest('wbe', ['web', 'db'])).toEqual(['web']);
  });

  test('nothing is suggested when nothing is near', () => {
    expect(didYouMean('port', ['replication', 'hosts'])).toBeUndefined();
  });

  test('reads as part of a hint', () => {
    expect(didYouMean('domian', ['domain', 'name'])).toBe('did you mean "domain"');
  });
});
