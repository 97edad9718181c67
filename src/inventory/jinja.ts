import type { Problems } from './problems.ts';
import type { Node } from './yaml.ts';

interface Finding {
  readonly what: string;
  readonly found: string;
  readonly hint: string;
}

const LITERAL = 'for braces that are meant literally write \\{{';

// Between two operands only: `(and a b)` is a function of templates.
const WORDS = /[\w'")\]]\s+(?:and|or|in|if|else)\s/;
const OPERATORS = /[~+*%]|\w\(|==|!=|[<>]=?|\s-\s/;

/** What of Jinja stands in one `{{ … }}`, or undefined where it may be handlebars. */
function inExpression(found: string, inner: string): Finding | undefined {
  const name = /^[A-Za-z_]\w*/.exec(inner)?.[0] ?? 'name';
  const bare = inner.replaceAll(/'[^']*'|"[^"]*"/g, "''");
  if (/\|\s*default\b/.test(bare) || /\|\s*d\s*\(/.test(bare)) {
    const hint = `write {{ ${name} }} and give ${name} its default in group_vars/all.yml`;
    return { what: 'a Jinja filter', found, hint };
  }
  // `as |item|` is handlebars' own use of the bar.
  if (/\|/.test(bare.replace(/\bas\s*\|[^|]*\|/, ''))) {
    const hint = `filters do not exist here: write the finished value, or {{ ${name} }} and shape it in the role`;
    return { what: 'a Jinja filter', found, hint };
  }
  if (/\bis(?:\s+not)?\s+[a-z]+/.test(bare)) {
    const hint =
      'tests do not exist here: give the variable a value in group_vars/all.yml instead of asking whether it has one';
    return { what: 'a Jinja test', found, hint };
  }
  if (/^\s*(?:lookup|query|q)\s*\(/.test(bare)) {
    const hint = 'lookups do not exist here: write the value itself, a secret with `hostwright secrets set`';
    return { what: 'a Jinja lookup', found, hint };
  }
  if (/^\s*hostvars\b/.test(bare)) {
    const hint = "a value cannot read another host's variables: define the value in group_vars of both";
    return { what: 'hostvars', found, hint };
  }
  if (/[A-Za-z_\]]\w*\s*\[/.test(bare)) {
    const hint = `write ${name}.key for a key and ${name}.[0] for an item`;
    return { what: 'a Jinja subscript', found, hint };
  }
  const body = bare.replace(/^(?:[#/^]\s*\w+|else(?:\s+if)?\b|>)/, '');
  const operator = OPERATORS.test(body) || WORDS.test(body);
  if (!operator) return undefined;
  const hint = `only {{ name }} is understood: write the finished value, or compute it in the role; ${LITERAL}`;
  return { what: 'a Jinja expression', found, hint };
}

/** The Jinja in a text, in its order. An escaped `\{{` is handlebars' way to literal braces. */
export function findJinja(text: string): Finding[] {
  const findings: Finding[] = [];
  for (const match of text.matchAll(/\\\{\{|\{\{\{?~?([\s\S]*?)~?\}?\}\}|\{%[\s\S]*?%\}|\{#[\s\S]*?#\}/g)) {
    const [found, inner] = match;
    if (found.startsWith('\\')) continue;
    if (found.startsWith('{%')) {
      const hint = `write {{#if name}}…{{/if}} or {{#each name}}…{{/each}} instead; ${LITERAL}`;
      findings.push({ what: 'a Jinja statement', found, hint });
    } else if (found.startsWith('{#')) {
      findings.push({ what: 'a Jinja comment', found, hint: 'write the comment in YAML, behind #' });
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
        `${what} in a value: values are handlebars, not Jinja`,
        { place: node.place, found, expected, hint },
        'E_VARIABLE',
      );
    }
  }
}
