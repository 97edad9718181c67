import { describe, expect, test } from 'vitest';
import { HostwrightError, HostwrightErrors, formatPlace } from '../../src/errors.ts';
import { Secret, isSecret } from '../../src/secrets/secret.ts';
import { createRenderer, render } from '../../src/template/render.ts';

type Data = Readonly<Record<string, unknown>>;
type Partials = Readonly<Record<string, string>>;

function rendered(text: string, data: Data = {}, partials: Partials = {}): string | Secret {
  return render({
    text,
    data,
    file: 'app.hbs',
    partial: (name) => {
      const found = partials[name];
      return found === undefined ? undefined : { text: found, file: `${name}.hbs` };
    },
  });
}

/** The errors of a rendering as `line:column message`, with what else they say for single ones. */
function errorsOf(text: string, data: Data = {}, partials: Partials = {}): HostwrightError[] {
  try {
    rendered(text, data, partials);
  } catch (error) {
    if (error instanceof HostwrightErrors) return error.errors;
    if (error instanceof HostwrightError) return [error];
    throw error;
  }
  return [];
}

function errorOf(text: string, data: Data = {}, partials: Partials = {}): string {
  return errorsOf(text, data, partials)
    .map((error) => `${error.code} ${error.place ? formatPlace(error.place) : '-'} ${error.message}`)
    .join('; ');
}

describe('text', () => {
  test('values stand as they are, without HTML escapes', () => {
    expect(rendered('{{a}} {{b}} {{c}} {{{a}}}', { a: `<"&'>`, b: 0, c: false })).toBe(`<"&'> 0 false <"&'>`);
  });

  test('a line that holds only a block, a comment or a partial leaves no line behind', () => {
    const text =
      'server {\n  {{#each ports}}\n  listen {{this}};\n  {{/each}}\n  {{! why }}\n  {{> tls}}\n}\n';
    expect(rendered(text, { ports: [80, 443] }, { tls: 'ssl on;\nhttp2 on;\n' })).toBe(
      'server {\n  listen 80;\n  listen 443;\n  ssl on;\n  http2 on;\n}\n',
    );
  });

  test('~ eats the white space beside it', () => {
    expect(rendered('a\n{{~b~}}\n c', { b: 1 })).toBe('a1c');
  });

  test('the last line end stays', () => {
    expect(rendered('{{#if a}}\nx\n{{/if}}\n\n', { a: true })).toBe('x\n\n');
  });

  test('two braces are kept behind a backslash and in a raw block', () => {
    expect(rendered('\\{{ $labels.host }} {{{{raw}}}}{{ $value }}{{{{/raw}}}} {{a}}', { a: 1 })).toBe(
      '{{ $labels.host }} {{ $value }} 1',
    );
  });

  test('numbers side by side are not added up', () => {
    expect(rendered('{{a}}{{b}}{{#if a}}{{a}}{{{b}}}{{c}}{{/if}}', { a: 1, b: 2, c: true })).toBe('1212true');
  });

  test('one renderer gives each rendering its own data', () => {
    const renderer = createRenderer();
    const text = 'x{{a}}';
    expect(renderer({ text, file: 'f', data: { a: 1 } })).toBe('x1');
    expect(renderer({ text, file: 'f', data: { a: 2 } })).toBe('x2');
    expect(() => renderer({ text, file: 'f', data: {} })).toThrow('"a" is not defined');
  });
});

describe('undefined names', () => {
  test.each([
    ['a text', 'a\n  {{ mising }}', '2:6'],
    ['an if', '{{#if mising}}{{/if}}', '1:7'],
    ['an unless', '{{#unless mising}}{{/unless}}', '1:11'],
    ['an each', '{{#each mising}}{{/each}}', '1:9'],
    ['a with', '{{#with mising}}{{/with}}', '1:9'],
    ['an else if', '{{#if missing}}{{else if mising}}{{/if}}', '1:26'],
    ['an argument', '{{default mising 1}}', '1:11'],
    ['an argument of an argument', '{{#if (not (eq mising 1))}}{{/if}}', '1:16'],
    ['a value for a partial', '{{> p mising}}', '1:7'],
    ['a named value for a partial', '{{> p a=mising}}', '1:9'],
    ['this', '{{this.mising}}', '1:3'],
    ['the root', '{{@root.mising}}', '1:3'],
    ['a branch that is not taken', '{{#if no}}{{mising}}{{/if}}', '1:13'],
    ['the other branch', '{{#if yes}}{{else}}{{mising}}{{/if}}', '1:22'],
    ['the inverse of an each', '{{#each list}}{{else}}{{mising}}{{/each}}', '1:25'],
    ['a raw block of two braces', '{{#raw}}{{#if mising}}{{/if}}{{/raw}}', '1:15'],
    ['an inverted section', '{{^if mising}}{{/if}}', '1:7'],
  ])('in %s', (_where, text, place) => {
    const data = { missing: true, yes: true, no: false, list: [1] };
    const [error, ...more] = errorsOf(text, data, { p: 'x' });
    expect(more).toEqual([]);
    expect(error).toMatchObject({ code: 'E_TEMPLATE', hint: 'did you mean "missing"' });
    expect(error?.message).toContain('"mising" is not defined');
    expect(error?.place && formatPlace(error.place)).toBe(`app.hbs:${place}`);
  });

  test('in the entries of a map', () => {
    expect(errorOf('{{host.adress}}', { host: { address: 1 } })).toBe(
      'E_TEMPLATE app.hbs:1:3 "adress" is not defined in "host.adress"',
    );
  });

  test('in each item of a list, once', () => {
    const data = { list: [{ name: 'a', port: 1 }, { name: 'b' }, { name: 'c' }], port: 3 };
    expect(errorOf('{{#each list}}{{name}} {{port}}{{/each}}', data)).toBe(
      'E_TEMPLATE app.hbs:1:26 "port" is not defined',
    );
  });

  test('inside an empty list only names of its surroundings can be checked', () => {
    expect(errorOf('{{#each list}}{{name}} {{../prot}} {{x.y}}{{/each}}', { list: [], port: 1 })).toBe(
      'E_TEMPLATE app.hbs:1:26 "prot" is not defined in "../prot"'.replace(' in "../prot"', ''),
    );
  });

  test('all of a template at once', () => {
    expect(errorsOf('{{a}}\n{{b}}\n{{#each c}}{{/each}}').map((error) => error.message)).toEqual([
      '"a" is not defined',
      '"b" is not defined',
      '"c" is not defined',
    ]);
  });

  test('say what is there when nothing is near', () => {
    expect(errorsOf('{{zzzz}}', { domain: 1, port: 2 })[0]?.hint).toContain('defined here: domain, port');
  });

  test('a prototype is out of reach', () => {
    const made: unknown = JSON.parse('{"a":{}}');
    for (const name of ['constructor', 'toString', '__proto__', 'a.constructor', 'list.map']) {
      expect(errorOf(`{{#if ${name}}}x{{/if}}`, { a: made, list: [] })).toContain('is not defined');
    }
    expect(errorOf('{{lookup a "constructor"}}', { a: {} })).toContain('is not text');
  });

  test('functions in the data are not there', () => {
    expect(errorOf('{{run}}', { run: () => 'ran' })).toContain('"run" is not defined');
  });
});

describe('names that are defined', () => {
  test('behind a guard an entry of something that is null is fine', () => {
    expect(rendered('{{#if tls}}{{tls.cert}}{{else}}plain{{/if}}', { tls: null })).toBe('plain');
    expect(rendered('{{#if tls}}{{tls.cert}}{{/if}}', { tls: { cert: 'c' } })).toBe('c');
    expect(rendered('{{#if list}}{{list.[0]}}{{/if}}', { list: [] })).toBe('');
  });

  test('each gives @index, @key, @first, @last, also of the one around', () => {
    const text = '{{#each rows}}{{#each this}}{{@../index}}{{@index}}{{@first}}{{@last}} {{/each}}{{/each}}';
    expect(rendered(text, { rows: [['a'], ['b', 'c']] })).toBe('00truetrue 10truefalse 11falsetrue ');
    expect(rendered('{{#each map}}{{@key}}={{this}} {{/each}}', { map: { a: 1, b: 2 } })).toBe('a=1 b=2 ');
  });

  test('@index is not there outside of each', () => {
    expect(errorOf('{{@index}}')).toContain('1:3 "@index" is not defined here');
    expect(errorOf('{{#each list}}{{@../index}}{{/each}}', { list: [1] })).toContain('is not defined here');
    expect(errorsOf('{{#each list}}{{@indx}}{{/each}}', { list: [1] })[0]?.hint).toBe('did you mean "index"');
  });

  test('../ leaves each and with, but not if', () => {
    const data = { name: 'top', list: [{ on: true }], map: { a: 1 } };
    expect(rendered('{{#each list}}{{#if on}}{{../name}}{{/if}}{{/each}}', data)).toBe('top');
    expect(rendered('{{#with map}}{{a}}{{../name}}{{/with}}', data)).toBe('1top');
    expect(errorOf('{{#if name}}{{../name}}{{/if}}', data)).toContain('"../name" is outside');
  });

  test('as |item index| gives names, inside nested blocks too', () => {
    const text = '{{#each list as |item i|}}{{#if ../on}}{{i}}{{item.a}}{{/if}}{{/each}}';
    expect(rendered(text, { list: [{ a: 'x' }, { a: 'y' }], on: true })).toBe('0x1y');
    expect(rendered('{{#with map as |m|}}{{m.a}}{{/with}}', { map: { a: 1 } })).toBe('1');
    expect(errorOf('{{#each list as |item|}}{{item.b}}{{itm}}{{/each}}', { list: [{ a: 1 }] })).toContain(
      '"b" is not defined in "item.b"',
    );
    expect(errorOf('{{#if on as |x|}}{{/if}}', { on: 1 })).toContain('has no block parameters');
  });

  test('a block parameter goes before a variable and a function of its name', () => {
    expect(rendered('{{#each list as |join|}}{{join}}{{/each}}', { list: [1, 2], join: 'no' })).toBe('12');
    expect(rendered('{{this.join}}', { join: 'yes' })).toBe('yes');
    expect(errorsOf('{{join}}', { join: 'yes' })[0]?.hint).toContain('this.join');
  });

  test('with goes to its else for an empty value', () => {
    expect(rendered('{{#with a}}{{b}}{{else}}none{{/with}}', { a: null })).toBe('none');
  });

  test('a list of one value is not taken for that value', () => {
    const text = '{{#each rows}}{{#each this}}{{this}}{{../../name}}{{/each}}{{/each}}';
    expect(rendered(text, { rows: [['a'], ['b']], name: '!' })).toBe('a!b!');
  });
});

describe('values that are no text', () => {
  test.each([
    ['null', null, 'null'],
    ['an unset value', undefined, 'an unset value'],
    ['a map', { b: 1 }, 'a map'],
    ['a list', [1], 'a list'],
  ])('%s', (_what, value, found) => {
    const [error] = errorsOf('x\n {{a}}', { a: value });
    expect(error).toMatchObject({ code: 'E_TEMPLATE', message: '"a" is not text', found });
    expect(error?.place).toEqual({ file: 'app.hbs', line: 2, column: 2 });
  });

  test('do no harm where they are not rendered', () => {
    expect(rendered('{{#if a}}{{a}}{{/if}}', { a: null })).toBe('');
    expect(rendered('{{#unless a}}x{{/unless}}', { a: undefined })).toBe('x');
  });

  test('each goes over lists and maps only', () => {
    expect(errorOf('{{#each a}}{{this}}{{/each}}', { a: 'text' })).toContain('needs a list or a map');
    expect(rendered('{{#each a}}{{this}}{{else}}none{{/each}}', { a: null })).toBe('none');
  });
});

describe('calls', () => {
  test('a function that does not exist', () => {
    const [error] = errorsOf('{{#if (eqq a 1)}}{{/if}}', { a: 1 });
    expect(error).toMatchObject({ message: 'unknown function "eqq"', hint: 'did you mean "eq"' });
  });

  test.each([
    ['{{#list}}{{/list}}', 'unknown block "list"'],
    ['{{#eq a 1}}{{/eq}}', 'unknown block "eq"'],
    ['{{#if}}{{/if}}', '"if" is called with 0 values'],
    ['{{#if a a}}{{/if}}', '"if" is called with 2 values'],
    ['{{#if a includeZero=true}}{{/if}}', '"if" takes no argument "includeZero"'],
    ['{{eq a}}', '"eq" is called with 1 values'],
    ['{{join list sep=","}}', '"join" takes no argument "sep"'],
    ['{{if a}}', '"if" is a block'],
    ['{{log a}}', 'unknown function "log"'],
    ['{{a.b 1}}', '"a.b" is not a function'],
    ['{{"list"}}', 'a value is not a name'],
    ['{{helperMissing a}}', 'unknown function "helperMissing"'],
    ['{{#*inline "x"}}{{/inline}}', 'decorators and partials with a block'],
    ['{{#> p}}{{/p}}', 'decorators and partials with a block'],
  ])('%s is refused', (text, message) => {
    expect(errorOf(text, { list: [1], a: 1 }, { p: 'x' })).toContain(message);
  });
});

describe('partials', () => {
  test('see the current value, another one, or it with named ones added', () => {
    const data = { name: 'top', map: { name: 'inner' } };
    expect(rendered('{{> p}}', data, { p: '<{{name}}>' })).toBe('<top>');
    expect(rendered('{{> p map}}', data, { p: '<{{name}}>' })).toBe('<inner>');
    expect(rendered('{{> p map port=80}}', data, { p: '<{{name}}:{{port}}>' })).toBe('<inner:80>');
  });

  test('errors name the file of the partial', () => {
    expect(errorOf('{{> p}}', { a: 1 }, { p: 'x\n{{b}}' })).toBe('E_TEMPLATE p.hbs:2:3 "b" is not defined');
  });

  test('are checked where they are not rendered', () => {
    expect(errorOf('{{#if a}}{{> p}}{{/if}}', { a: false }, { p: '{{b}}' })).toContain('p.hbs:1:3');
    expect(errorOf('{{#if a}}{{> q}}{{/if}}', { a: false })).toContain('the partial "q" does not exist');
  });

  test('cannot look outside of what they are given', () => {
    const data = { list: [{ a: 1 }], name: 'top' };
    expect(errorOf('{{#each list}}{{> p}}{{../name}}{{/each}}', data, { p: '{{../name}}' })).toContain(
      'p.hbs:1:3 "../name" is outside',
    );
  });

  test('may call themselves along the data, but not without an end', () => {
    const tree = { name: 'a', below: [{ name: 'b', below: [] }] };
    const p = '{{name}}({{#each below}}{{> p}}{{/each}})';
    expect(rendered('{{> p}}', tree, { p })).toBe('a(b())');
    expect(errorOf('{{> p}}', {}, { p: '{{> q}}', q: '{{> p}}' })).toContain('include each other in a cycle');
  });

  test('a partial that cannot be parsed', () => {
    expect(errorOf('{{> p}}', {}, { p: 'x\n{{#if}' })).toContain('E_TEMPLATE p.hbs:2:');
  });
});

describe('templates that cannot be parsed', () => {
  test.each([
    ['a name that is not closed', 'one\n  {{ name }', 'app.hbs:2:11'],
    ['a brace too few', 'one\n{{{a}}\n', 'app.hbs:2:5'],
    ['the wrong end', 'one\n{{#if a}}\nx {{/each}}', 'app.hbs:2:4'],
    ['no block parameter', 'abc\n  {{#each xs as |}}{{/each}}', 'app.hbs:2:18'],
    ['a stray else', 'one\n\n{{else}}', 'app.hbs:3:1'],
    ['../ in the middle', '{{a/../b}}', 'app.hbs:1:3'],
    ['a block without an end', '{{#if a}}\n\nfoo', 'app.hbs:3:4'],
  ])('%s', (_what, text, place) => {
    expect(errorOf(text, { a: 1, xs: [] })).toMatch(new RegExp(`^E_TEMPLATE ${place} `));
  });

  test('a block without an end says so', () => {
    expect(errorOf('{{#if a}}\n\nfoo', { a: 1 })).toContain('a block is not closed');
  });
});

describe('secrets', () => {
  const password = new Secret('hunter2');

  test('a text that a secret went into is a secret', () => {
    const output = rendered('password={{password}}\n', { password });
    expect(isSecret(output)).toBe(true);
    expect(String(output)).toBe('***');
    expect(isSecret(output) && output.reveal()).toBe('password=hunter2\n');
  });

  test.each([
    ['in a list', '{{join list ","}}', 'a,hunter2'],
    ['as JSON', '{{json map}}', '{"a":{"b":"hunter2"}}'],
    ['indented', '{{indent password 2}}', '  hunter2'],
    ['by lookup', '{{lookup map.a "b"}}', 'hunter2'],
    ['in a partial', '{{> p map.a}}', 'hunter2'],
    ['in each', '{{#each list}}{{this}}{{/each}}', 'ahunter2'],
    ['compared', '{{#if (eq password "hunter2")}}yes{{/if}}', 'yes'],
  ])('%s too', (_how, text, value) => {
    const data = { password, list: ['a', password], map: { a: { b: password } } };
    const output = rendered(text, data, { p: '{{b}}' });
    expect(isSecret(output) && output.reveal()).toBe(value);
  });

  test('a text that only asks for one, or holds one in a branch not taken, is none', () => {
    const data = { password, off: false };
    expect(rendered('{{#if password}}on{{/if}}{{#if off}}{{password}}{{/if}}', data)).toBe('on');
  });

  test('an empty one is false', () => {
    expect(rendered('{{#if password}}on{{else}}off{{/if}}', { password: new Secret('') })).toBe('off');
  });

  test('no error shows a value', () => {
    const data = { password, list: [password] };
    const texts = [
      '{{password.length}}',
      '{{#each password}}{{/each}}',
      '{{list}}',
      '{{lookup password "x"}}',
      '{{join password ","}}',
      '{{#with password}}{{x}}{{/with}}',
      '{{#each list}}{{hunter}}{{/each}}',
    ];
    for (const text of texts) {
      const errors = errorsOf(text, data);
      expect(errors).toHaveLength(1);
      expect(JSON.stringify(errors) + errors.map((error) => `${error.stack}`).join('')).not.toContain(
        'hunter2',
      );
    }
  });
});
