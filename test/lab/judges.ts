import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readInventory } from '../../src/inventory/read.ts';
import { decryptValue } from '../../src/secrets/age.ts';
import { identityFile, readIdentities } from '../../src/secrets/identity.ts';
import type { Finished, TestHosts } from './hosts.ts';
import { debianTree, type DebianTree } from './debian-tree.ts';

const names = ['web1', 'web2', 'web3'] as const;

/** What testssl.sh holds against the test CA, not against the site. */
const testAuthority = new Set(['cert_revocation']);

/** What testssl.sh could not look at with the openssl of Debian, by the name of the finding. */
const notLookedAt = new Set(['engine_problem', 'sessionresumption_ticket']);

/** The services of the site that begin as root, and why each has to. */
const roots: Readonly<Record<string, string>> = {
  'mysql-open.service': 'root logs in to the server by the socket, and opens it',
  'haproxy.service': 'its master binds ports and reads keys; the workers that talk are haproxy',
  'nginx.service': 'its master reads keys; the workers that talk are www-data',
  'hostwright-certificate.service': 'writes the bundle of HAProxy and tells it',
  'hostwright-certificate-metrics.service': 'reads certificates that only root may read',
  'hostwright-journal-metrics.service': 'writes where the node exporter looks, which belongs to root',
  'hostwright-request-metrics.service': 'writes where the node exporter looks, which belongs to root',
};

/** What of Debian's own runs as root on a host, whatever the site. */
const system =
  /^(?:init\.scope|ssh\.service|systemd-\w+\.service|console-getty\.service|unattended-upgrades\.service|user@\d+\.service|session-\w+\.scope|-)$/;

const findings = z.array(z.object({ id: z.string(), severity: z.string(), finding: z.string() }));

const notes = z.object({ fail: z.array(z.string()).default([]), warn: z.array(z.string()).default([]) });
const algorithm = z.object({ algorithm: z.string(), notes: notes.partial().default({}) });
const sshAudit = z.object({
  kex: z.array(algorithm),
  key: z.array(algorithm),
  enc: z.array(algorithm),
  mac: z.array(algorithm),
  cves: z.array(z.unknown()),
});

function lines({ stdout }: Finished): readonly string[] {
  return stdout.split('\n').filter((line) => line !== '');
}

/** The units of services that the roles wrote, or added to: nobody else writes into this folder. */
const ourUnits = `cd /etc/systemd/system
for unit in *.service *.service.d; do
  [ -e "$unit" ] && [ ! -L "$unit" ] && echo "\${unit%.d}"
done | sort -u`;

/** What a secret of the site looks like in a file, one pattern a line; never a short or an empty one. */
async function secretLines(inventory: string): Promise<readonly string[]> {
  const identities = await readIdentities(identityFile(process.env));
  const { hosts } = await readInventory(inventory);
  const encrypted = [...hosts.values()].flatMap(({ vars }) =>
    Object.values(vars).filter(
      (value): value is string => typeof value === 'string' && value.startsWith('age:'),
    ),
  );
  const values = await Promise.all(
    [...new Set(encrypted)].map(async (value) => (await decryptValue(value, identities)).reveal()),
  );
  const certificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
  const secret = values.flatMap((value) => value.replaceAll(certificate, '').split('\n'));
  return [...secret.filter((line) => line.length >= 12), 'PRIVATE KEY-----'];
}

/**
 * What programs made to find fault say of the site, which is there when this runs: testssl.sh, ssh-audit and
 * lynis of Debian 13, systemd-analyze of the hosts, and a search for secrets in files.
 */
export function describeJudges(domain: string, site: () => TestHosts): void {
  describe('the judges', () => {
    let tree: DebianTree;
    /** Most of a minute, in which the others are asked. */
    let tls: Promise<Finished>;

    beforeAll(async () => {
      const { environment, address, inventory } = site();
      tree = await debianTree(environment, {
        release: 'trixie',
        packages: ['lynis', 'ssh-audit', 'testssl.sh'],
      });
      const authority = await readFile(join(inventory, '../acme-root.pem'), 'utf8');
      tls = tree.run(
        `cat >/tmp/ca.pem
testssl --quiet --color 0 --warnings batch --nodns none --ip ${address('web1')} --add-ca /tmp/ca.pem \\
  --protocols --std --fs --server-preference --server-defaults --headers --vulnerable \\
  --jsonfile /tmp/findings.json ${domain}:443 >/tmp/shown 2>&1 || true
cat /tmp/findings.json || cat /tmp/shown >&2`,
        authority,
      );
    });

    it('lynis has no warning and a hardening index of 65 or more', async () => {
      const packed = await tree.run('tar -cf - usr/share/lynis usr/sbin/lynis etc/lynis | base64');
      const answer = await site().ssh(
        'web1',
        `work=$(mktemp -d /run/judge.XXXXXX)
trap 'rm -rf "$work"' EXIT
base64 -d | tar -C "$work" -xf -
cd "$work/usr/share/lynis"
# Nothing can be executed below /run.
TMPDIR=$work sh ../../sbin/lynis audit system --quick --quiet --no-colors --plugin-dir "$work/etc/lynis/plugins" \\
  --profile "$work/etc/lynis/default.prf" --logfile "$work/log" --report-file "$work/report" >&2
grep -E '^(hardening_index=|warning)' "$work/report"`,
        packed.stdout,
      );
      const [index, ...warnings] = lines(answer).toSorted();
      expect(warnings, answer.stderr).toEqual([]);
      expect(Number(/^hardening_index=(\d+)$/.exec(index ?? '')?.[1])).toBeGreaterThanOrEqual(65);
    });

    it.each(names)('systemd-analyze gives every unit that is ours on %s less than 3.0', async (host) => {
      const answer = await site().ssh(
        host,
        `for unit in $(${ourUnits}); do
  echo "$unit $(systemd-analyze security --no-pager "$unit" | sed -n 's/.*Overall exposure level for .*: \\([0-9.]*\\) .*/\\1/p')"
done`,
      );
      const exposure = Object.fromEntries(
        lines(answer).map((line) => {
          const [unit = '', value = ''] = line.split(' ');
          return [unit, value === '' ? Number.NaN : Number(value)];
        }),
      );
      expect(exposure).toHaveProperty(['nginx.service']);
      expect(exposure).toHaveProperty(['visits.service']);
      expect(Object.entries(exposure).filter(([, value]) => !(value < 3))).toEqual([]);
    });

    it.each(names)('nothing of ours on %s is root without a reason', async (host) => {
      const declared = await site().ssh(
        host,
        `for unit in $(${ourUnits}); do
  [ -n "$(systemctl show -P User "$unit")" ] || echo "$unit"
done`,
      );
      expect(lines(declared)).not.toEqual([]);
      expect(lines(declared).filter((unit) => !(unit in roots))).toEqual([]);
      // Kernel threads are in no unit; the others say which one is theirs.
      const processes = await site().ssh(host, 'ps -e -o uid=,unit=');
      const running = lines(processes).flatMap((line) => {
        const [user, unit = ''] = line.trim().split(/\s+/);
        return user === '0' ? [unit] : [];
      });
      expect(running).toContain('init.scope');
      expect([...new Set(running)].filter((unit) => !system.test(unit) && !(unit in roots))).toEqual([]);
    });

    it.each(names)('no file of %s with a secret is for everyone to read', async (host) => {
      const secrets = await secretLines(site().inventory);
      expect(secrets.length).toBeGreaterThan(4);
      const answer = await site().ssh(
        host,
        `grep -rlFs --exclude-dir=proc --exclude-dir=sys -f - /etc /home /opt /root /run /srv /tmp /usr/local /var |
  xargs -r -d '\\n' stat -c '%a %U:%G %n'`,
        `${secrets.join('\n')}\n`,
      );
      const found = lines(answer);
      expect(found.filter((line) => line.endsWith('/etc/hostwright/pki/nginx.key'))).toHaveLength(1);
      expect(found.filter((line) => !/^(?:[46]00 |640 \S+:(?!users |admin |nogroup ))/.test(line))).toEqual(
        [],
      );
    });

    it('testssl.sh gives the site an A+, and finds nothing that is worse than low', async () => {
      const answer = await tls;
      const found = findings.parse(JSON.parse(answer.stdout || '[]'));
      const worse = found.filter(
        ({ id, severity }) =>
          ['MEDIUM', 'HIGH', 'CRITICAL', 'FATAL'].includes(severity) && !testAuthority.has(id),
      );
      expect(worse, answer.stderr).toEqual([]);
      expect(found.filter(({ id, severity }) => severity === 'WARN' && !notLookedAt.has(id))).toEqual([]);
      const finding = (id: string) => found.find((one) => one.id === id);
      expect(finding('overall_grade')?.finding).toBe('A+');
      expect(finding('HSTS_time')?.severity).toBe('OK');
      expect(finding('cert_chain_of_trust')?.finding).toContain('passed');
    });

    // The last, because sshd turns its machine away for a while: it connects often and does not log in.
    it.each(names)('ssh-audit has nothing against the sshd of %s', async (host) => {
      const answer = await tree.run(`ssh-audit --json ${site().address(host)}`);
      const { kex, key, enc, mac, cves } = sshAudit.parse(JSON.parse(answer.stdout));
      const against = [...kex, ...key, ...enc, ...mac].filter(
        (one) => (one.notes.fail ?? []).length + (one.notes.warn ?? []).length > 0,
      );
      expect(against).toEqual([]);
      expect(cves).toEqual([]);
      expect(kex.length * key.length * enc.length * mac.length).toBeGreaterThan(0);
    });
  });
}
