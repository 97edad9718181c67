import { bareHosts } from '../lab/hosts.ts';
import { oneRoleProject } from './one-role-project.ts';
import type { FaultSite } from './recovery.ts';

const role = `
import { createHash } from 'node:crypto';
import { defineRole, directory, file, link, pkg, service, z } from 'hostwright';
export default defineRole({
  name: 'held',
  variables: z.object({ held_word: z.string(), held_packages: z.array(z.string()) }),
  resources: ({ vars }) => [
    pkg('nginx-light'),
    ...vars.held_packages.map((name) => pkg(name)),
    link('/etc/nginx/sites-enabled/default', { absent: true }, { needs: ['package:nginx-light'] }),
    directory('/srv/held'),
    // Large also where the link is compressed.
    file('/srv/held/large', {
      content: createHash('shake256', { outputLength: 6_000_000 }).update(vars.held_word).digest('base64'),
    }),
    file('/etc/nginx/conf.d/held.conf', {
      content: 'server { listen 8080; location / { return 200 "' + vars.held_word + '"; } }\\n',
    }),
    service('nginx', {
      reloadOn: ['/etc/nginx'],
      validate: ['nginx', '-t'],
      reload: ['sh', '-c', '/usr/local/sbin/hold reload; systemctl reload nginx'],
    }),
  ],
});
`;

/** Stops at a point where the host is told to, says that it has come there, and waits until it may go on. */
const hold = `#!/bin/sh
[ -e "/run/hold-$1" ] || exit 0
touch "/run/held-$1"
while [ -e "/run/hold-$1" ]; do sleep 0.1; done
rm -f "/run/held-$1"
`;

export type Point = 'reload' | 'packages';

/** A small site on one host, whose runs can be held in the middle of a reload or of a package transaction. */
export interface HeldSite extends FaultSite {
  /** Wants another state from here on, which differs in every resource that can go on changing. */
  want(): Promise<void>;
  readonly word: () => string;
  hold(point: Point): Promise<void>;
  /** Resolves when a run has come to the point. */
  held(point: Point): Promise<void>;
  letGo(): Promise<void>;
  down(): Promise<void>;
}

export async function heldSite(name: string, subnet: string): Promise<HeldSite> {
  const hosts = await bareHosts(name, subnet, 1);
  const project = await oneRoleProject(hosts, 'held', role);
  const must = async (script: string, input?: string): Promise<void> => {
    await hosts.shell('web1', script, input);
  };
  await must('cat >/usr/local/sbin/hold; chmod 0755 /usr/local/sbin/hold', hold);
  await must('cat >/etc/apt/apt.conf.d/zz-hold', 'DPkg::Pre-Invoke { "/usr/local/sbin/hold packages"; };\n');
  // A host that has been provisioned gives up a client that went silent; here within seconds.
  await must(
    'cat >/etc/ssh/sshd_config.d/00-silence.conf; systemctl reload ssh',
    'ClientAliveInterval 1\nClientAliveCountMax 3\n',
  );
  let count = 0;
  const word = (): string => `w${count}.`;
  return {
    hosts,
    names: ['web1'],
    word,
    words: () => [
      ...project.inventory,
      ...['-e', JSON.stringify({ held_word: word(), held_packages: count === 0 ? [] : ['tree'] })],
    ],
    async want() {
      count += 1;
      await must('dpkg --purge tree 2>/dev/null');
    },
    async hold(point) {
      await must(`touch /run/hold-${point}`);
    },
    async held(point) {
      await must(`timeout 60 sh -c "until [ -e /run/held-${point} ]; do sleep 0.05; done"`);
    },
    async letGo() {
      await must('rm -f /run/hold-*');
    },
    async down() {
      await hosts.down();
      await project.remove();
    },
  };
}
