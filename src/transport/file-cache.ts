import { appendFileSync, readFileSync, statSync, type BigIntStats } from 'node:fs';

/** What was made of files; each is read again when it has changed. */
export interface FileCache<Value> {
  /** Undefined where there is no such file; throws the error of the system where it cannot be read. */
  read(file: string): Value | undefined;
  /** Appends to a file, readable for the user alone where it is new, and has `take` extend what was made of it. */
  append(file: string, text: string, take: (value: Value) => void): void;
}

/** Thousands of hosts need the same few files: `make` sees each content of them once. */
export function createFileCache<Value>(make: (content: Buffer, file: string) => Value): FileCache<Value> {
  const known = new Map<string, { readonly state: BigIntStats; readonly value: Value }>();
  return {
    read(file) {
      const state = orMissing(() => statSync(file, { bigint: true, throwIfNoEntry: false }));
      if (state === undefined) return undefined;
      const before = known.get(file);
      if (before !== undefined && isSame(before.state, state)) return before.value;
      const content = orMissing(() => readFileSync(file));
      if (content === undefined) return undefined;
      const value = make(content, file);
      // A pipe gives its content only once, and its state says nothing.
      if (state.isFile()) known.set(file, { state, value });
      return value;
    },
    append(file, text, take) {
      const entry = known.get(file);
      const before = orMissing(() => statSync(file, { bigint: true, throwIfNoEntry: false }));
      appendFileSync(file, text, { mode: 0o600 });
      const state = statSync(file, { bigint: true });
      if (entry === undefined || before === undefined || !isSame(entry.state, before)) return;
      // When another process has written meanwhile, it is read again.
      if (state.ino !== before.ino || state.size !== before.size + BigInt(Buffer.byteLength(text))) return;
      take(entry.value);
      known.set(file, { state, value: entry.value });
    },
  };
}

function orMissing<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  }
}

function isSame(one: BigIntStats, other: BigIntStats): boolean {
  return (
    one.dev === other.dev &&
    one.ino === other.ino &&
    one.size === other.size &&
    one.mtimeNs === other.mtimeNs &&
    one.ctimeNs === other.ctimeNs
  );
}
