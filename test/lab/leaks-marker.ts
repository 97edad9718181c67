import { randomBytes } from 'node:crypto';

/** What quoting would trip over, in shells, SQL, JSON, expressions, URLs, units and templates. */
const hostile = `'"\\ $(x)\`y\`;{"f":1}%41&?#.*[g]+\${HOME}%h{{z}}ü`;

/** A secret that can be found again, in whatever form: `core` stands in it as it is. */
export interface Marker {
  readonly name: string;
  readonly value: string;
  readonly core: string;
}

export function marker(name: string, around: (core: string) => string = (core) => core): Marker {
  const core = `Mk${randomBytes(12).toString('hex')}`;
  return { name, value: around(core), core };
}

export function hostileMarker(name: string): Marker {
  return marker(name, (core) => `${core}${hostile}`);
}

/** The parts of its base64, wherever it begins in what was encoded. */
function base64Of(core: string): readonly string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.from(`${'x'.repeat(before)}${core}`).toString('base64');
    // The first and the last group hold bits of what stands beside it.
    return text.slice(before === 0 ? 0 : 4, -6);
  });
}

/** Every form of a marker that the search knows: as it is (JSON, URLs and shell leave a core alone), hex, base64. */
export function formsOf({ core }: Marker): readonly string[] {
  const hex = Buffer.from(core).toString('hex');
  return [core, hex, hex.toUpperCase(), ...base64Of(core)];
}
