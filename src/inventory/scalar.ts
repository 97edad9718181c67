/** What a plain scalar of YAML 1.1 stands for; Ansible reads with PyYAML, whose patterns these are. */
export type Plain = string | number | boolean | null;

const NULL = /^(?:~|null|Null|NULL|)$/;
// Unlike the specification (and the yaml package), PyYAML leaves `y` and `n` alone.
const TRUE = /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const INTEGER =
  /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
// `1e3` has neither point nor sign and stays a string.
const FLOAT =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)$/;
const INFINITE = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

function sexagesimal(digits: string): number {
  return digits.split(':').reduce((total, part) => total * 60 + Number(part), 0);
}

function magnitude(digits: string): number {
  if (digits.includes(':')) return sexagesimal(digits);
  if (/^0[bx]/.test(digits)) return Number(digits);
  if (/^0[0-7]+$/.test(digits)) return Number.parseInt(digits, 8);
  return Number(digits);
}

function signed(text: string, value: (digits: string) => number): number {
  const digits = text.replaceAll('_', '');
  const bare = digits.replace(/^[-+]/, '');
  const absolute = value(bare);
  return digits.startsWith('-') && absolute !== 0 ? -absolute : absolute;
}

/**
 * The value of an unquoted scalar as Ansible has it: `yes` is true, `0644` is 420, `1:30` is 90, `08` and
 * `1e3` are strings. Dates stay the text they are. RangeError: a number that JavaScript cannot hold.
 */
export function plainScalar(text: string): Plain {
  if (NULL.test(text)) return null;
  if (TRUE.test(text)) return true;
  if (FALSE.test(text)) return false;
  if (INFINITE.test(text)) throw new RangeError('a number that is not finite');
  if (INTEGER.test(text)) {
    const value = signed(text, magnitude);
    if (!Number.isSafeInteger(value)) throw new RangeError('a number of more than 53 bits');
    return value;
  }
  if (FLOAT.test(text))
    return signed(text, (digits) => (digits.includes(':') ? sexagesimal(digits) : Number(digits)));
  return text;
}
