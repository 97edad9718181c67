import { z } from 'zod';
import {
  declare,
  defineResource,
  type DeclaredPaths,
  type Resource,
  type ResourceOptions,
} from '../resource.ts';
import type { Attribute, State } from '../state.ts';
import { each } from '../step.ts';
import {
  admits,
  families,
  parseTuple,
  ruleName,
  ruleTuple,
  ufwRule,
  type Family,
  type FoundRule,
  type UfwRule,
} from './rule.ts';
import { changeUfw, guardUfw, hooks, probeUfw, shippedRules } from './script.ts';
import { unitState } from './unit-state.ts';

const policy = z.enum(['deny', 'reject', 'allow']);

const schema = z
  .strictObject({
    incoming: policy.default('deny'),
    outgoing: policy.default('allow'),
    routed: policy.default('deny'),
    logging: z.enum(['off', 'low', 'medium', 'high', 'full']).default('low'),
    rules: z
      .array(ufwRule)
      .describe('All rules, in order: the first match decides. Any other rule is removed'),
    kept: z
      .array(z.enum([...shippedRules, ...hooks]))
      .default([])
      .describe(
        'Files below /etc/ufw that you maintain yourself. Other rules than those of the package, and hooks that are executable, are removed from those not named',
      ),
    connection: z
      .strictObject({ port: z.number().int(), address: z.string() })
      .optional()
      .describe('A connection that the rules must allow: the port of sshd and the client address'),
    absent: z.literal(false).optional(),
  })
  .superRefine(({ rules, incoming, connection }, context) => {
    const names = rules.map(ruleName);
    for (const name of new Set(names.filter((name, index) => names.indexOf(name) !== index))) {
      context.addIssue({ code: 'custom', message: `expected "${name}" once`, path: ['rules'] });
    }
    if (connection === undefined) return;
    const { port, address } = connection;
    if (admits(rules, port, address) ?? incoming === 'allow') return;
    context.addIssue({
      code: 'custom',
      message: `expected a rule that allows ${address} to port ${port}: otherwise Hostwright locks itself out`,
      path: ['rules'],
    });
  });

type Ufw = z.output<typeof schema>;

const policies = { deny: 'DROP', reject: 'REJECT', allow: 'ACCEPT' } as const;
const inOrder = 'as declared';
const inKernel = 'as configured';

function namesOf(rules: readonly UfwRule[], family: Family): readonly string[] {
  return rules.filter((rule) => families(rule).includes(family)).map(ruleName);
}

function unquoted(value: string | undefined): string {
  return (value ?? '').replaceAll(/^["']|["']$/g, '').toLowerCase();
}

function policyOf(value: string | undefined): string {
  const word = unquoted(value).toUpperCase();
  return Object.entries(policies).find(([, target]) => target === word)?.[0] ?? word;
}

/** What a person reads of a rule that is there: its comment, and where it is there in one family only. */
function describe(name: string, found: readonly FoundRule[]): string {
  const own = found.filter((rule) => rule.name === name);
  const comments = new Set(own.map((rule) => rule.comment));
  const text = [...comments].map((comment) => (comment === '' ? 'no comment' : comment)).join(' | ');
  const there = new Set(own.map((one) => one.family));
  const [only] = there;
  const isHalf = there.size === 1 && own.some((one) => one.isForBoth);
  return isHalf ? `${text} (only IPv${only ?? ''})` : text;
}

/** Rules that nobody declared do not count: they go, and what is left moves up. */
function order(found: readonly FoundRule[], desired: Ufw): string {
  for (const family of [4, 6] as const) {
    const wanted = namesOf(desired.rules, family);
    const there = found
      .filter((rule) => rule.family === family && wanted.includes(rule.name))
      .map((rule) => rule.name);
    const expected = wanted.filter((name) => there.includes(name));
    if (there.join('\n') !== expected.join('\n')) return `IPv${family}: ${there.join(', ')}`;
  }
  return inOrder;
}

function kernel(lines: readonly string[]): string {
  if (lines.length === 0) return inKernel;
  const [missing, added] = ['-', '+'].map((sign) => signed(lines, sign));
  const few = `${missing?.length ?? 0} lines too few${some(added?.length === 0 ? missing : [])}`;
  return `${few}, ${added?.length ?? 0} too many${some(added)}`;
}

function signed(lines: readonly string[], sign: string): readonly string[] {
  return lines.filter((line) => line.startsWith(`${sign} `)).map((line) => line.slice(2));
}

/** The first of some lines, for people. */
function some(lines: readonly string[] = []): string {
  return lines.length === 0 ? '' : `: ${lines.slice(0, 3).join(', ')}${lines.length > 3 ? ', …' : ''}`;
}

/** By path, what a file of ufw has that is neither of the package nor of the rules. */
function strays(entries: readonly string[]): Record<string, string> {
  const files = [...new Set(entries.map((entry) => entry.slice(0, entry.indexOf(' '))))];
  return Object.fromEntries(
    files.map((file) => {
      const own = entries
        .filter((entry) => entry.startsWith(`${file} `))
        .map((entry) => entry.slice(file.length + 1));
      const [added, missing] = ['+', '-'].map((sign) => signed(own, sign));
      const parts = [
        ...(added?.length === 0 ? [] : [`adds${some(added)}`]),
        ...(missing?.length === 0 ? [] : [`lacks${some(missing)}`]),
      ];
      return [`/etc/ufw/${file}`, parts.join('; ')];
    }),
  );
}

function parse(output: Buffer, desired: Ufw, declared: DeclaredPaths): State {
  const entries = output.toString('utf8').split('\n').filter(Boolean);
  if (entries[0] === 'missing') return { enabled: false };
  const of = (letter: string) =>
    entries.filter((entry) => entry.startsWith(`${letter} `)).map((entry) => entry.slice(2));
  const settings = new Map(
    of('s').map((entry): [string, string] => [
      entry.slice(0, entry.indexOf('=')),
      entry.slice(entry.indexOf('=') + 1),
    ]),
  );
  if (!settings.has('ENABLED')) throw new RangeError('/etc/ufw/ufw.conf does not say whether ufw is enabled');
  const isEnabled = unquoted(settings.get('ENABLED')) === 'yes';
  const found = ([4, 6] as const).flatMap((family) =>
    of(String(family)).map((tuple) => parseTuple(tuple, family)),
  );
  const rules = [...new Set(found.map((rule) => rule.name))].map((name): [string, Attribute] => [
    name,
    describe(name, found),
  ]);
  const { unit, overriddenBy } = unitState(output, declared);
  return {
    enabled: isEnabled,
    unit,
    overriddenBy,
    incoming: policyOf(settings.get('DEFAULT_INPUT_POLICY')),
    outgoing: policyOf(settings.get('DEFAULT_OUTPUT_POLICY')),
    routed: policyOf(settings.get('DEFAULT_FORWARD_POLICY')),
    ipv6: unquoted(settings.get('IPV6')) === 'yes',
    logging: unquoted(settings.get('LOGLEVEL')),
    kernel: isEnabled ? kernel(of('k')) : 'nothing of it',
    order: order(found, desired),
    ...strays(of('f')),
    ...Object.fromEntries(rules),
  };
}

export const ufwType = defineResource({
  name: 'ufw',
  summary: 'The firewall: ufw with its policies and all its rules, in its files and in the kernel',
  schema,
  // A host has one firewall: two roles that want different ones must collide.
  key: () => 'firewall',
  want: (ufw): State => ({
    enabled: true,
    unit: 'enabled',
    overriddenBy: 'nothing',
    incoming: ufw.incoming,
    outgoing: ufw.outgoing,
    routed: ufw.routed,
    ipv6: true,
    logging: ufw.logging,
    kernel: inKernel,
    order: inOrder,
    ...Object.fromEntries(ufw.rules.map((rule): [string, Attribute] => [ruleName(rule), rule.why])),
  }),
  probe: (batch, declared) => ({
    script: probeUfw(batch.flatMap(({ kept }) => kept)),
    parse: (output) => batch.map((ufw) => parse(output, ufw, declared)),
  }),
  apply: each(({ id, desired: ufw, actual }) => {
    const tuples = (family: Family): Buffer =>
      Buffer.from(
        ufw.rules
          .filter((rule) => families(rule).includes(family))
          .map((rule) => ruleTuple(rule, family))
          .join('\n'),
      );
    const found = String(actual?.['overriddenBy'] ?? 'nothing');
    const overriding = found === 'nothing' ? [] : found.split(' ');
    const [rules4, rules6] = [tuples(4), tuples(6)];
    const defaults = {
      IPV6: 'yes',
      DEFAULT_INPUT_POLICY: `"${policies[ufw.incoming]}"`,
      DEFAULT_OUTPUT_POLICY: `"${policies[ufw.outgoing]}"`,
      DEFAULT_FORWARD_POLICY: `"${policies[ufw.routed]}"`,
    };
    return {
      resources: [id],
      title: 'load the firewall',
      ...changeUfw({ defaults, logging: ufw.logging, kept: ufw.kept }, rules4.length, overriding),
      stdin: Buffer.concat([rules4, rules6]),
    };
  }),
  comparison: { exact: true },
  order: { provides: () => false },
  access: { guard: () => guardUfw },
});

/** The firewall: `ufw({ rules: [{ port: 22, why: 'ssh' }] }, { needs: ['package:ufw'] })`. */
export function ufw(attributes: z.input<typeof schema>, options?: ResourceOptions): Resource {
  return declare(ufwType, attributes, options);
}
