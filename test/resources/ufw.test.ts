import { describe, expect, test } from 'vitest';
import { compare } from '../../src/plan/compare.ts';
import type { Attribute } from '../../src/resources/state.ts';
import { parseTuple, ruleTuple, ufwRule } from '../../src/resources/ufw/rule.ts';
import { ufwType } from '../../src/resources/ufw/ufw.ts';

const declared = {
  rules: [
    { port: 22, why: 'ssh' },
    { port: 8443, from: '10.0.0.1', why: 'balanced traffic' },
    { port: 8443, from: 'fd00::1', why: 'balanced traffic' },
    { port: 53, protocol: 'udp', why: 'names' },
  ],
};
const desired = ufwType.schema.parse(declared);

const hex = (text: string): string => Buffer.from(text).toString('hex');

/** As the probe prints what lies at a path. */
function listed(path: string, target?: string, folder = path): string {
  const kind = target === undefined ? 'f' : 'l';
  return `\0${kind}\x001795305088.5\0${folder}\0${path}\0${target === undefined ? '' : `${path} -> ${target}`}\0`;
}

const packaged = '/usr/lib/systemd/system/ufw.service';
const enabling = listed('/etc/systemd/system/multi-user.target.wants/ufw.service', packaged);

/** What the probe prints of a host that is as declared. */
const asDeclared = `s ENABLED=yes
s LOGLEVEL=low
s IPV6=yes
s DEFAULT_INPUT_POLICY="DROP"
s DEFAULT_OUTPUT_POLICY="ACCEPT"
s DEFAULT_FORWARD_POLICY="DROP"
4 allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=${hex('ssh')}
4 allow tcp 8443 0.0.0.0/0 any 10.0.0.1 in comment=${hex('balanced traffic')}
4 allow udp 53 0.0.0.0/0 any 0.0.0.0/0 in comment=${hex('names')}
6 allow tcp 22 ::/0 any ::/0 in comment=${hex('ssh')}
6 allow tcp 8443 ::/0 any fd00::1 in comment=${hex('balanced traffic')}
6 allow udp 53 ::/0 any ::/0 in comment=${hex('names')}
${listed(packaged)}${enabling}
`;

/** No other resource declares any path. */
const nothing = { owns: () => false, ownsBelow: () => false, declares: () => false, hasMember: () => false };

function changes(output: string): Record<string, readonly [Attribute | undefined, Attribute | undefined]> {
  const [actual] = ufwType.probe([desired]).parse(Buffer.from(output));
  if (actual === undefined || actual === null || 'reason' in actual) throw new Error('no state');
  const attributes = compare(ufwType, desired, actual)?.attributes ?? [];
  return Object.fromEntries(attributes.map(({ name, from, to }) => [name, [from, to]]));
}

function withoutLine(text: string, line: number): string {
  return text.split('\n').toSpliced(line, 1).join('\n');
}

describe('a firewall', () => {
  test('as declared is left alone', () => {
    expect(changes(asDeclared)).toEqual({});
  });

  test('that is not installed gets every rule', () => {
    expect(changes('missing\n')).toMatchObject({
      enabled: [false, true],
      incoming: [undefined, 'deny'],
      'allow 22/tcp': [undefined, 'ssh'],
      'allow 8443/tcp from fd00::1': [undefined, 'balanced traffic'],
    });
  });

  test('shows each rule that nobody declared, whatever its kind', () => {
    const output = `${asDeclared}4 deny any any 0.0.0.0/0 any 10.9.8.0/24 in
4 allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 Nginx%20Full - in
4 allow udp 53 1.1.1.1 any 0.0.0.0/0 out_eth0
6 route:allow any any ::/0 any ::/0 in_eth0!out_eth1 comment=${hex('mine')}
`;
    expect(changes(output)).toEqual({
      'deny everything from 10.9.8.0/24': ['no comment', undefined],
      'allow 80,443/tcp (Nginx Full)': ['no comment (only IPv4)', undefined],
      'allow out_eth0 53/udp to 1.1.1.1': ['no comment', undefined],
      'route:allow in_eth0!out_eth1 everything': ['mine (only IPv6)', undefined],
    });
  });

  test('shows a rule that is gone, in both families or in one', () => {
    expect(changes(withoutLine(asDeclared, 7))).toEqual({
      'allow 8443/tcp from 10.0.0.1': [undefined, 'balanced traffic'],
    });
    expect(changes(withoutLine(asDeclared, 9))).toEqual({ 'allow 22/tcp': ['ssh (only IPv4)', 'ssh'] });
  });

  test('shows a rule whose action or comment is another', () => {
    expect(changes(asDeclared.replaceAll('allow tcp 22', 'limit tcp 22'))).toEqual({
      'allow 22/tcp': [undefined, 'ssh'],
      'limit 22/tcp': ['ssh', undefined],
    });
    expect(changes(asDeclared.replaceAll(hex('ssh'), hex('x')))).toEqual({ 'allow 22/tcp': ['x', 'ssh'] });
  });

  test('has rules of a protocol without ports, which let no login in', () => {
    const vrrp = { protocol: 'vrrp', from: '10.0.0.2', why: 'balancers' } as const;
    const wanted = ufwType.schema.parse({ rules: [...declared.rules, vrrp] });
    expect(ufwType.want(wanted)).toHaveProperty(['allow vrrp from 10.0.0.2'], 'balancers');
    const tuple = ruleTuple(ufwRule.parse(vrrp), 4);
    expect(tuple).toBe(
      `### tuple ### allow vrrp any 0.0.0.0/0 any 10.0.0.2 in comment=${hex('balancers')}\n`,
    );
    expect(parseTuple(tuple.replace('### tuple ### ', ''), 4).name).toBe('allow vrrp from 10.0.0.2');
    const connection = { port: 22, address: '10.0.0.2' };
    expect(ufwType.schema.safeParse({ rules: [vrrp], connection }).success).toBe(false);
    expect(ufwType.schema.safeParse({ rules: [{ ...vrrp, port: 22 }] }).success).toBe(false);
  });

  test('sees another order, and what is there twice', () => {
    const [first, ...rest] = asDeclared.split('\n').slice(6, 9);
    const rules = [first, ...rest].join('\n');
    expect(changes(asDeclared.replace(rules, [...rest, first].join('\n')))).toEqual({
      order: ['IPv4: allow 8443/tcp from 10.0.0.1, allow 53/udp, allow 22/tcp', 'as declared'],
    });
    expect(Object.keys(changes(asDeclared.replace(rules, `${rules}\n${first}`)))).toEqual(['order']);
  });

  test('is not out of order because of rules that go', () => {
    const output = `4 allow tcp 23 0.0.0.0/0 any 0.0.0.0/0 in\n${asDeclared}`;
    expect(Object.keys(changes(output))).toEqual(['allow 23/tcp']);
  });

  test('sees other policies and settings', () => {
    const output = asDeclared
      .replace('INPUT_POLICY="DROP"', 'INPUT_POLICY="ACCEPT"')
      .replace('OUTPUT_POLICY="ACCEPT"', 'OUTPUT_POLICY="REJECT"')
      .replace('IPV6=yes', 'IPV6=no')
      .replace('LOGLEVEL=low', 'LOGLEVEL=full')
      .replace(enabling, '');
    expect(changes(output)).toEqual({
      incoming: ['allow', 'deny'],
      outgoing: ['reject', 'allow'],
      ipv6: [false, true],
      logging: ['full', 'low'],
      unit: ['disabled', 'enabled'],
    });
  });

  test('names what its files have beside the rules and those of the package', () => {
    const output = `${asDeclared}f before.rules + -A ufw-before-input -p tcp --dport 4444 -j ACCEPT
f before6.rules - COMMIT
f before.init + runs
`;
    expect(changes(output)).toEqual({
      '/etc/ufw/before.rules': ['adds: -A ufw-before-input -p tcp --dport 4444 -j ACCEPT', undefined],
      '/etc/ufw/before6.rules': ['lacks: COMMIT', undefined],
      '/etc/ufw/before.init': ['adds: runs', undefined],
    });
    expect(changes(`${asDeclared}k - -A ufw-before-input -j ACCEPT\n`)).toEqual({
      kernel: ['1 lines too few: -A ufw-before-input -j ACCEPT, 0 too many', 'as configured'],
    });
  });

  test('sees a unit that is masked or overridden', () => {
    const also = (...parts: readonly string[]): string =>
      asDeclared.replace(enabling, [...parts, enabling].join(''));
    const mask = (folder: string): string => listed(`${folder}/ufw.service`, '/dev/null');
    expect(changes(also(mask('/run/systemd/system')))).toEqual({ unit: ['masked-runtime', 'enabled'] });
    expect(changes(also(mask('/etc/systemd/system')))).toEqual({ unit: ['masked', 'enabled'] });
    const [own, dropIns] = ['/etc/systemd/system/ufw.service', '/run/systemd/system/ufw.service.d'];
    const overridden = also(listed(own), listed(`${dropIns}/b.conf`, undefined, dropIns));
    const [ufw] = ufwType.probe([desired], nothing).parse(Buffer.from(overridden));
    expect(ufw).toMatchObject({ overriddenBy: `${own} ${dropIns}/b.conf` });
  });

  test('sees what is in its files and not in the kernel, and the other way round', () => {
    const output = `${asDeclared}k - -A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT
k + -A INPUT -p tcp -m tcp --dport 23 -j ACCEPT
`;
    expect(changes(output)).toEqual({
      kernel: ['1 lines too few, 1 too many: -A INPUT -p tcp -m tcp --dport 23 -j ACCEPT', 'as configured'],
    });
    expect(changes(asDeclared.replace('ENABLED=yes', 'ENABLED=no'))).toEqual({
      enabled: [false, true],
      kernel: ['nothing of it', 'as configured'],
    });
  });

  test.each(['Permission denied', '4 allow tcp', `${asDeclared}6 allow\n`])(
    'does not take %j for a state',
    (output) => {
      expect(() => ufwType.probe([desired]).parse(Buffer.from(output))).toThrow(RangeError);
    },
  );

  test('writes the rules of both families in their order', () => {
    const [step] = ufwType.apply(
      [{ id: 'ufw:firewall', desired, action: 'update', actual: null, attributes: [] }],
      { declared: () => [] },
    );
    if (step === undefined || !('script' in step)) throw new Error('no step');
    const tuples = Buffer.from(step.stdin ?? '').toString('utf8');
    const found = tuples
      .split('\n')
      .filter(Boolean)
      .map((line) => line.replace('### tuple ### ', ''));
    expect(found).toEqual(
      asDeclared
        .split('\n')
        .filter((line) => /^[46] /.test(line))
        .map((line) => line.slice(2)),
    );
    expect(parseTuple(found[0] ?? '', 4)).toEqual({
      name: 'allow 22/tcp',
      family: 4,
      comment: 'ssh',
      isForBoth: true,
    });
  });
});

describe('the schema of a firewall', () => {
  const ssh = { port: 22, why: 'ssh' };
  const connection = { port: 22, address: '10.0.0.9' };
  const problems = (attributes: object): string =>
    ufwType.schema
      .safeParse(attributes)
      .error?.issues.map((issue) => issue.message)
      .join('\n') ?? '';

  test.each([
    [{ rules: [ssh], connection }],
    [{ rules: [{ ...ssh, from: '10.0.0.0/24' }], connection }],
    [{ rules: [{ port: '20:30', why: 'x' }], connection }],
    [{ rules: [{ action: 'deny', from: '10.0.1.0/24', why: 'x' }, ssh], connection }],
    [{ rules: [{ action: 'deny', port: 22, protocol: 'udp', why: 'x' }, ssh], connection }],
    [{ rules: [], incoming: 'allow', connection }],
    [{ rules: [{ ...ssh, from: 'fd00::/8' }], connection: { port: 22, address: 'fd00::9' } }],
  ])('takes %j', (attributes) => {
    expect(problems(attributes)).toBe('');
  });

  test.each([
    [{ rules: [], connection }],
    [{ rules: [{ ...ssh, from: '10.0.1.0/24' }], connection }],
    [{ rules: [{ ...ssh, protocol: 'udp' }], connection }],
    [{ rules: [ssh], connection: { port: 2222, address: '10.0.0.9' } }],
    [{ rules: [{ action: 'deny', from: '10.0.0.0/24', why: 'x' }, ssh], connection }],
    [{ rules: [{ action: 'reject', port: '20:30', why: 'x' }, ssh], connection }],
  ])('refuses %j, which would shut the controller out', (attributes) => {
    expect(problems(attributes)).toMatch(/^expected a rule that allows 10\.0\.0\.9 to port \d+/);
  });

  test.each([
    [{ rules: [ssh, { ...ssh, why: 'again' }] }, 'expected "allow 22/tcp" once'],
    [{ rules: [{ ...ssh, from: 'web1' }] }, 'expected "any", an address, or a network'],
    [{ rules: [{ ...ssh, from: '0.0.0.0/0' }] }, 'expected "any", an address, or a network'],
    [{ rules: [{ port: '20:30', protocol: 'any', why: 'x' }] }, 'a range of ports needs the protocol'],
    [{ rules: [{ port: 22, why: "it's" }] }, "expected no '"],
  ])('refuses %j', (attributes, message) => {
    expect(problems(attributes)).toContain(message);
  });
});
