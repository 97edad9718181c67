/** One element of DER (X.690), tag and length included, of constructed parts or bytes. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content]);
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

/** Where the content of an element begins and ends. RangeError where it is cut off. */
function bounds(der: Buffer, at: number): readonly [start: number, end: number] {
  const first = der.readUInt8(at + 1);
  const count = first < 0x80 ? 0 : first & 0x7f;
  const length = count === 0 ? first : der.readUIntBE(at + 2, count);
  const start = at + 2 + count;
  if (start + length > der.length) throw new RangeError('an element of DER is cut off');
  return [start, start + length];
}

/** The bytes that an element holds. */
export function contentOf(der: Buffer): Buffer {
  return der.subarray(...bounds(der, 0));
}

/** The elements that a constructed element holds, in their order. */
export function partsOf(der: Buffer): readonly Buffer[] {
  const content = contentOf(der);
  const parts = [];
  for (let at = 0; at < content.length;) {
    const [, end] = bounds(content, at);
    parts.push(content.subarray(at, end));
    at = end;
  }
  return parts;
}
