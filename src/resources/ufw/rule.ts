import { z } from 'zod';
import { oneLine } from '../attribute.ts';
import { covers, parseNetwork } from './network.ts';

const port = z.union([
  z.number().int().min(1).max(65535),
  z.string().regex(/^\d{1,5}:\d{1,5}$/, 'expected a port, or a range such as "8000:8010"'),
]);

const network = z
  .string()
  .refine((text) => text === 'any' || (parseNetwork(text)?.prefix ?? 0) > 0, {
    error: (issue) =>
      `expected "any", an address, or a network such as "10.0.0.0/24", not ${JSON.stringify(issue.input)}`,
  })
  .transform((text) => parseNetwork(text)?.text ?? text);

export const ufwRule = z
  .strictObject({
    action: z
      .enum(['allow', 'limit', 'deny', 'reject'])
      .default('allow')
      .describe('`limit` rejects an address after six new connections within 30 seconds'),
    port: port.optional().describe('Default: every port'),
    protocol: z
      .enum(['tcp', 'udp', 'any', 'vrrp'])
      .optional()
      .describe('Default: `tcp`, or `any` without a port; `vrrp` has no ports'),
    from: network.default('any').describe('An address or network; `any` is all of IPv4 and IPv6'),
    why: oneLine
      .min(1)
      .refine((text) => !text.includes("'"), "expected no ' (ufw takes none in a comment)")
      .describe('The comment of the rule'),
  })
  .transform((rule) => ({ ...rule, protocol: rule.protocol ?? (rule.port === undefined ? 'any' : 'tcp') }))
  .refine((rule) => typeof rule.port !== 'string' || rule.protocol !== 'any', {
    message: 'a range of ports needs the protocol tcp or udp',
    path: ['protocol'],
  })
  .refine((rule) => rule.port === undefined || rule.protocol !== 'vrrp', {
    message: 'the protocol vrrp has no ports',
    path: ['port'],
  });

export type UfwRule = z.output<typeof ufwRule>;
export type Family = 4 | 6;

const everything = { 4: '0.0.0.0/0', 6: '::/0' } as const;

function what(dport: string, protocol: string): string {
  if (protocol === 'vrrp' && dport === 'any') return protocol;
  const ports = dport === 'any' ? 'everything' : dport;
  return protocol === 'any' ? ports : `${ports}/${protocol}`;
}

/** What identifies a rule, as a person would type it: `allow 8443/tcp from 10.0.0.11`. */
export function ruleName({ action, port, protocol, from }: UfwRule): string {
  const name = `${action} ${what(String(port ?? 'any'), protocol)}`;
  return from === 'any' ? name : `${name} from ${from}`;
}

export function families({ from }: UfwRule): readonly Family[] {
  const family = parseNetwork(from)?.family;
  return family === undefined ? [4, 6] : [family];
}

/** The line that ufw keeps a rule in; the rest of its files it makes from these. */
export function ruleTuple(rule: UfwRule, family: Family): string {
  const everywhere = everything[family];
  const source = rule.from === 'any' ? everywhere : rule.from;
  const comment = Buffer.from(rule.why).toString('hex');
  const words = [rule.action, rule.protocol, rule.port ?? 'any', everywhere, 'any', source, 'in'];
  return `### tuple ### ${words.join(' ')} comment=${comment}\n`;
}

/** A rule as it is on a host. */
export interface FoundRule {
  readonly name: string;
  readonly family: Family;
  readonly comment: string;
  /** It names no address, so that ufw keeps it for both families. */
  readonly isForBoth: boolean;
}

function place(address: string, family: Family): string {
  return address === everything[family] ? 'any' : (parseNetwork(address)?.text ?? address);
}

/** Reads what follows `### tuple ###`, also of rules that cannot be declared here: they must have a name too. */
export function parseTuple(tuple: string, family: Family): FoundRule {
  const [fields = '', hex = ''] = tuple.trim().split(' comment=');
  const words = fields.split(/\s+/);
  const [action, protocol, dport, destination, sport, source] = words;
  if (
    action === undefined ||
    protocol === undefined ||
    dport === undefined ||
    destination === undefined ||
    sport === undefined ||
    source === undefined
  ) {
    throw new RangeError(`unexpected rule "${tuple}"`);
  }
  // Six or eight words are of an old ufw, which had no direction; two more name application profiles.
  const direction = words.length % 2 === 1 ? (words.at(-1) ?? 'in') : 'in';
  const applications = words.length < 8 ? [] : words.slice(6, 8).filter((name) => name !== '-');
  const [to, from] = [place(destination, family), place(source, family)];
  const parts = [
    direction === 'in' ? action : `${action} ${direction}`,
    what(dport, protocol),
    ...(to === 'any' ? [] : [`to ${to}`]),
    ...(from === 'any' && sport === 'any' ? [] : [`from ${from}`]),
    ...(sport === 'any' ? [] : [`port ${sport}`]),
    ...applications.map((name) => `(${name.replaceAll('%20', ' ')})`),
  ];
  return {
    name: parts.join(' '),
    family,
    comment: Buffer.from(hex, 'hex').toString('utf8'),
    isForBoth: to === 'any' && from === 'any',
  };
}

/** Whether the first of `rules` that is about a new TCP connection to `to` from `address` lets it in. */
export function admits(rules: readonly UfwRule[], to: number, address: string): boolean | undefined {
  const client = parseNetwork(address);
  const first = rules.find((rule) => {
    if (rule.protocol !== 'tcp' && rule.protocol !== 'any') return false;
    const [low = 0, high = low] =
      rule.port === undefined ? [1, 65535] : String(rule.port).split(':').map(Number);
    if (to < low || to > high) return false;
    const source = parseNetwork(rule.from);
    return source === undefined || (client !== undefined && covers(source, client));
  });
  return first === undefined ? undefined : first.action === 'allow' || first.action === 'limit';
}
