import { HostwrightError } from '../errors.ts';
import { didYouMean } from '../suggestion.ts';
import type {
  Block,
  Call,
  Expression,
  Mustache,
  Partial,
  PathExpression,
  Program,
  Statement,
} from './ast.ts';
import { describeValue, hasEntries, setEntry } from './disclosure.ts';
import { isTrue, templateFunctions } from './functions.ts';
import { isText } from './output.ts';
import {
  enter,
  plainName,
  resolve,
  rootScope,
  templateError,
  unknown,
  withBlockParams,
  withFrame,
  type Scope,
} from './scope.ts';

export interface ParsedTemplate {
  readonly file: string;
  readonly program: Program;
}

/** The partial of that name; undefined where there is none. */
export type FindPartial = (name: string) => ParsedTemplate | undefined;

const blocks = ['if', 'unless', 'each', 'with', 'raw'];
const deepest = 50;

/**
 * All errors of a template for given data: undefined names in every branch,
 * rendered or not, wrong calls, and values that are not text. Handlebars itself accepts most of them.
 */
export function checkTemplate(
  template: ParsedTemplate,
  data: unknown,
  findPartial: FindPartial,
): readonly HostwrightError[] {
  const errors = new Map<string, HostwrightError>();

  const report = (error: unknown): typeof unknown => {
    if (!(error instanceof HostwrightError)) throw error;
    // The body of an `each` is checked once an item: one error is enough.
    const key = `${error.message} ${JSON.stringify(error.place)}`;
    if (!errors.has(key)) errors.set(key, error);
    return unknown;
  };

  const attempt = (evaluated: () => unknown): unknown => {
    try {
      return evaluated();
    } catch (error) {
      return report(error);
    }
  };

  const evaluate = (expression: Expression, scope: Scope): unknown => {
    switch (expression.type) {
      case 'PathExpression':
        return attempt(() => resolve(expression, scope));
      case 'SubExpression':
        return attempt(() => call(expression, scope));
      case 'UndefinedLiteral':
        return undefined;
      case 'NullLiteral':
        return null;
      case 'StringLiteral':
      case 'NumberLiteral':
      case 'BooleanLiteral':
        return expression.value;
      default:
        return expression satisfies never;
    }
  };

  const call = (node: Call, scope: Scope): unknown => {
    const name = calledName(node, scope);
    const callee = Object.hasOwn(templateFunctions, name) ? templateFunctions[name] : undefined;
    const values = node.params.map((param) => evaluate(param, scope));
    if (callee === undefined) throw noSuchFunction(node, name, scope);
    refuseHash(node, name, scope);
    const [least, most] = callee.parameters;
    if (values.length < least || values.length > most) {
      throw templateError(scope, node, `"${name}" is called with ${values.length} values`, {
        expected:
          most === Infinity ? `${least} or more` : least === most ? `${least}` : `${least} to ${most}`,
        ...(values.length === 0 ? { hint: `to use the variable of that name, write this.${name}` } : {}),
      });
    }
    if (!scope.live || values.includes(unknown)) return unknown;
    try {
      return callee.call(...values);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw templateError(scope, node, `${name}: ${error.message}`, { expected: callee.summary });
    }
  };

  const mustache = (node: Mustache, scope: Scope): void => {
    const path = pathOf(node, scope);
    const name = plainName(path);
    const isCall =
      node.params.length > 0 ||
      node.hash !== undefined ||
      (name !== undefined && !scope.blockParams.has(name) && name in templateFunctions);
    if (name !== undefined && blocks.includes(name) && !scope.blockParams.has(name)) {
      throw templateError(scope, node, `"${name}" is a block`, { expected: `{{#${name} …}} … {{/${name}}}` });
    }
    const value = isCall ? call(node, scope) : resolve(path, scope);
    if (!scope.live || value === unknown || isText(value)) return;
    throw templateError(scope, node, `"${path.original}" is not text`, {
      found: describeValue(value),
      expected: 'text, a number, true or false',
      hint: hintForNonText(value),
    });
  };

  const block = (node: Block, scope: Scope): void => {
    const name = blockName(node, scope);
    refuseHash(node, name, scope);
    const params = node.program?.blockParams ?? node.inverse?.blockParams ?? [];
    // In {{{{raw}}}} there is nothing but text; in {{#raw}} there may be anything.
    if (name === 'raw' && node.program) return program(node.program, scope);
    const [subject] = node.params;
    if (subject === undefined || node.params.length > 1) {
      throw templateError(scope, node, `"${name}" is called with ${node.params.length} values`, {
        expected: '1',
      });
    }
    const mostParams = { each: 2, with: 1 }[name] ?? 0;
    if (params.length > mostParams) {
      throw templateError(scope, node, `"${name}" has no block parameters |${params.join(' ')}|`, {
        expected: `at most ${mostParams}`,
      });
    }
    const value = evaluate(subject, scope);
    const inside = (part: Program | undefined, within: Scope, taken: boolean): void => {
      if (part) program(part, { ...within, live: within.live && value !== unknown && taken });
    };
    if (name === 'each') {
      each(node, value, params, scope);
    } else if (name === 'with') {
      const taken = isTrue(value) || value === 0;
      const context = taken ? value : unknown;
      inside(node.program, withBlockParams(enter(scope, context), params, [context]), taken);
      inside(node.inverse, scope, !taken);
    } else {
      const taken = isTrue(value) === (name === 'if');
      inside(node.program, scope, taken);
      inside(node.inverse, scope, !taken);
    }
  };

  const each = (node: Block, value: unknown, params: readonly string[], scope: Scope): void => {
    const isEmpty = value === unknown || value === null || value === undefined || value === false;
    if (!isEmpty && !hasEntries(value)) {
      throw templateError(scope, node.params[0] ?? node, '"each" needs a list or a map', {
        found: describeValue(value),
      });
    }
    const entries = isEmpty ? [] : Object.entries(value);
    const list = Array.isArray(value);
    const body = (key: unknown, index: unknown, item: unknown, live: boolean): void => {
      const first = index === unknown ? unknown : index === 0;
      const last = index === unknown ? unknown : index === entries.length - 1;
      const framed = withFrame(enter(scope, item), { key, index, first, last });
      if (node.program) program(node.program, { ...withBlockParams(framed, params, [item, key]), live });
    };
    entries.forEach(([key, item], index) => body(list ? index : key, index, item, scope.live));
    if (entries.length === 0) body(unknown, unknown, unknown, false);
    const inverted = value !== unknown && entries.length === 0;
    if (node.inverse) program(node.inverse, { ...scope, live: scope.live && inverted });
  };

  const partial = (node: Partial, scope: Scope): void => {
    const values = node.params.map((param) => evaluate(param, scope));
    const pairs = (node.hash?.pairs ?? []).map((pair) => [pair.key, evaluate(pair.value, scope)] as const);
    if (node.name.type !== 'PathExpression' || values.length > 1) {
      throw templateError(scope, node, 'a partial takes a plain name and at most one value', {
        expected: '{{> name}}, {{> name value}} or {{> name key=value}}',
      });
    }
    const name = node.name.original;
    const found = findPartial(name);
    if (found === undefined) {
      throw templateError(scope, node.name, `the partial "${name}" does not exist`, {
        hint: `create ${name}.hbs in the folder of the template`,
      });
    }
    if (scope.partials.includes(name) && !scope.live) return;
    if (scope.partials.length >= deepest) {
      throw templateError(
        scope,
        node,
        `partials include each other in a cycle: ${scope.partials.slice(-3).join(', ')}`,
      );
    }
    const given = values.length === 1 ? values[0] : scope.contexts[0];
    const context = pairs.length === 0 ? given : withPairs(given, pairs);
    program(found.program, {
      ...scope,
      file: found.file,
      contexts: [context],
      blockParams: new Map(),
      partials: [...scope.partials, name],
    });
  };

  const statement = (node: Statement, scope: Scope): void => {
    switch (node.type) {
      case 'ContentStatement':
      case 'CommentStatement':
        return;
      case 'MustacheStatement':
        return mustache(node, scope);
      case 'BlockStatement':
        return block(node, scope);
      case 'PartialStatement':
        return partial(node, scope);
      case 'PartialBlockStatement':
      case 'Decorator':
      case 'DecoratorBlock':
        throw templateError(scope, node, 'decorators and partials with a block are not supported', {
          hint: 'put the text into a separate partial',
        });
    }
  };

  const program = ({ body }: Program, scope: Scope): void => {
    for (const node of body) attempt(() => statement(node, scope));
  };

  program(template.program, rootScope(data, template.file));
  return [...errors.values()];
}

function pathOf(node: Call, scope: Scope): PathExpression {
  if (node.path.type === 'PathExpression') return node.path;
  throw templateError(scope, node.path, 'a value is not a name', {
    hint: `to use the entry of that name, write this.[${String(node.path.value)}]`,
  });
}

function calledName(node: Call, scope: Scope): string {
  const path = pathOf(node, scope);
  const name = plainName(path);
  if (name !== undefined && !scope.blockParams.has(name)) return name;
  throw templateError(scope, node.path, `"${path.original}" is not a function and takes no values`);
}

function noSuchFunction(node: Call, name: string, scope: Scope): HostwrightError {
  const names = Object.keys(templateFunctions);
  return templateError(scope, node.path, `unknown function "${name}"`, {
    hint: didYouMean(name, [...names, ...blocks]) ?? `functions: ${names.join(', ')}`,
  });
}

function blockName(node: Block, scope: Scope): string {
  const { original } = pathOf(node, scope);
  if (blocks.includes(original)) return original;
  throw templateError(scope, node.path, `unknown block "${original}"`, {
    expected: blocks.join(', '),
    hint:
      didYouMean(original, blocks) ??
      `write {{#each ${original}}} for a list, {{#if ${original}}} for a condition`,
  });
}

function refuseHash(node: Call, name: string, scope: Scope): void {
  const pair = node.hash?.pairs[0];
  if (pair) throw templateError(scope, pair, `"${name}" takes no argument "${pair.key}"`);
}

function hintForNonText(value: unknown): string {
  if (Array.isArray(value)) return 'use {{#each}}, {{join list ", "}} or {{json list}}';
  if (typeof value === 'object' && value !== null) return 'use one of its entries, or {{json map}}';
  return 'set it, wrap it in {{#if}}, or use {{default value "other"}}';
}

function withPairs(context: unknown, pairs: readonly (readonly [string, unknown])[]): unknown {
  if (context === unknown) return unknown;
  const copy = hasEntries(context) ? { ...context } : {};
  for (const [key, value] of pairs) setEntry(copy, key, value);
  return copy;
}
