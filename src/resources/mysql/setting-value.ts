/** What servers and option files call on and off. */
const words: Readonly<Record<string, string>> = {
  on: '1',
  true: '1',
  yes: '1',
  off: '0',
  false: '0',
  no: '0',
};
const units: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Servers round sizes to a multiple of one of these. */
const steps = [2 ** 10, 2 ** 12, 2 ** 20, 2 ** 27];

function numberOf(text: string): number | undefined {
  const [, digits, unit] = /^(-?\d+(?:\.\d+)?)([kmgt]?)$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * (units[unit ?? ''] ?? 1);
}

function isNumber(wanted: string, found: string): boolean {
  const [one, other] = [numberOf(wanted), numberOf(found)];
  if (one === undefined || other === undefined) return false;
  const isRounded = (step: number): boolean =>
    [Math.floor, Math.ceil].some((to) => to(one / step) * step === other);
  return one === other || (other >= 2 ** 10 && steps.some((step) => other % step === 0 && isRounded(step)));
}

const listed = (text: string): string => text.split(',').toSorted().join();

/** Whether a server that shows `found` has taken what an option file calls `wanted`. */
export function isSameValue(wanted: string, found: string): boolean {
  const [one, other] = [wanted, found].map((text) => text.trim().toLowerCase());
  if (one === undefined || other === undefined) return false;
  return (
    (words[one] ?? one) === (words[other] ?? other) ||
    isNumber(one, other) ||
    listed(one) === listed(other) ||
    one.replace(/\/$/, '') === other.replace(/\/$/, '') ||
    // The name of files that something is written to; the server says only that it is.
    (other === 'on' && !(one in words) && numberOf(one) === undefined)
  );
}

/** A value for SET GLOBAL: a number where it is one, with its unit multiplied. */
export function settable(value: string): string | number {
  return numberOf(value.toLowerCase()) ?? value;
}
