import type { Problems } from './problems.ts';
import type { Node } from './yaml.ts';

interface Finding {
  readonly what: string;
  readonly found: string;
  readonly hint: string;
}

const LITERAL = 'for literal braces write \\{{';

// Between two operands only: `(and a b)` is a function of templates.
const WORDS = /[\w'")\]]\s+(?:and|or|in|if|else)\s/;
const OPERATORS = /[~+*%]|\w\(|==|!=|[<>]=?|\s-\s/;

/** The Jinja in one `{{ … }}`; undefined when it may be handlebars. */
function inExpression(found: string, inner: string): Finding | undefined {
  const name = /^[A-Za-z_]\w*/.exec(inner)?.[0] ?? 'name';
  const bare = inner.replaceAll(/'[^']*'|"[^"]*"/g, "''");
  if (/\|\s*default\b/.test(bare) || /\|\s*d\s*\(/.test(bare)) {
    const hint = `write {{ ${name} }} and set the default of ${name} in group_vars/all.yml`;
    return { what: 'a Jinja filter', found, hint };
  }
  // `as |item|` is handlebars' own use of the bar.
  if (/\|/.test(bare.replace(/\bas\s*\|[^|]*\|/, ''))) {
    const hint = `filters are not supported: write the final value, or {{ ${name} }} and transform it in the role`;
    return { what: 'a Jinja filter', found, hint };
  }
  if (/\bis(?:\s+not)?\s+[a-z]+/.test(bare)) {
    const hint = 'tests are not supported: set a default for the variable in group_vars/all.yml';
    return { what: 'a Jinja test', found, hint };
  }
  if (/^\s*(?:lookup|query|q)\s*\(/.test(bare)) {
    const hint =
      'lookups are not supported: write the value itself; store a secret with `hostwright secrets set`';
    return { what: 'a Jinja lookup', found, hint };
  }
  if (/^\s*hostvars\b/.test(bare)) {
    const hint = "a value cannot read another host's variables: define it in group_vars of a common group";
    return { what: 'hostvars', found, hint };
  }
  if (/[A-Za-z_\]]\w*\s*\[/.test(bare)) {
    const hint = `write ${name}.key for a key and ${name}.[0] for an item`;
    return { what: 'a Jinja subscript', found, hint };
  }
  const body = bare.replace(/^(?:[#/^]\s*\w+|else(?:\s+if)?\b|>)/, '');
  const operator = OPERATORS.test(body) || WORDS.test(body);
  if (!operator) return undefined;
  const hint = `only {{ name }} is supported: write the final value, or compute it in the role; ${LITERAL}`;
  return { what: 'a Jinja expression', found, hint };
}

/** The Jinja in a text, in order. `\{{` is an escape of handlebars for literal braces. */
export function findJinja(text: string): Finding[] {
  const findings: Finding[] = [];
  for (const match of text.matchAll(/\\\{\{|\{\{\{?~?([\s\S]*?)~?\}?\}\}|\{%[\s\S]*?%\}|\{#[\s\S]*?#\}/g)) {
    const [found, inner] = match;
    if (found.startsWith('\\')) continue;
    if (found.startsWith('{%')) {
      const hint = `write {{#if name}}…{{/if}} or {{#each name}}…{{/each}} instead; ${LITERAL}`;
      findings.push({ what: 'a Jinja statement', found, hint });
    } else if (found.startsWith('{#')) {
      findings.push({ what: 'a Jinja comment', found, hint: 'write a YAML comment, after #' });
    } else if (inner !== undefined && !/^\s*!/.test(inner)) {
      const finding = inExpression(found, inner.trim());
      if (finding !== undefined) findings.push(finding);
    }
  }
  return findings;
}

/** Reports the Jinja in every string of a value. */
export function reportJinja(node: Node, problems: Problems): void {
  if (node.kind === 'list') {
    for (const item of node.items) reportJinja(item, problems);
  } else if (node.kind === 'map') {
    for (const entry of node.entries) reportJinja(entry.value, problems);
  } else if (typeof node.value === 'string') {
    for (const { what, found, hint } of findJinja(node.value)) {
      const expected = 'handlebars: {{ name }}';
      problems.report(
        `${what} in a value: values are handlebars templates, not Jinja`,
        { place: node.place, found, expected, hint },
        'E_VARIABLE',
      );
    }
  }
}
