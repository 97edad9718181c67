import { HostwrightError } from '../errors.ts';

/** The forms of a name that has words: `app_setting`, `app-setting`, `appSetting`. */
export interface Names {
  /** Of a role, a type of resource, variables. */
  readonly snake: string;
  /** Of files. */
  readonly kebab: string;
  /** Of functions. */
  readonly camel: string;
}

/** What no function can be called. */
const reserved = new Set(
  `await break case catch class const continue debugger default delete do else enum export extends false finally for
function if implements import in instanceof interface let new null package private protected public return static super
switch this throw true try typeof var void while with yield`.split(/\s+/),
);

/** E_USAGE for what is no name, or is `taken` already. */
export function namesOf(name: string, taken: ReadonlySet<string>): Names {
  if (!/^[a-z][a-z0-9]*([-_][a-z0-9]+)*$/.test(name)) {
    throw new HostwrightError('E_USAGE', 'invalid name', {
      found: name,
      expected: 'lower-case letters and digits, words joined by "_" or "-", such as app_setting',
    });
  }
  const words = name.split(/[-_]/);
  const camel = words
    .map((word, index) => (index === 0 ? word : word[0]?.toUpperCase() + word.slice(1)))
    .join('');
  if (reserved.has(camel) || taken.has(camel)) {
    const why = reserved.has(camel) ? 'is a word of JavaScript' : "is exported by 'hostwright' already";
    throw new HostwrightError('E_USAGE', `the name ${camel} ${why}`, { hint: 'choose another name' });
  }
  return { snake: words.join('_'), kebab: words.join('-'), camel };
}
