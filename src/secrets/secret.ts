import { inspect } from 'node:util';

const brand = Symbol.for('hostwright.secret');

/**
 * A value that cannot be printed by accident: every way of turning it into text gives `***`.
 * `reveal()` is the only way to the value, so that `grep reveal` finds every place that handles one.
 */
export class Secret {
  readonly #value: string;
  readonly [brand] = true;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  [Symbol.toPrimitive](): string {
    return '***';
  }

  [inspect.custom](): string {
    return '***';
  }
}

/** True for a Secret of any copy of this module (a role may be loaded beside a second one). */
export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && brand in value;
}
