import { defineRole, HostwrightError, pkg, ufw, z } from 'hostwright';
import { declaredRules, type Rule } from './rules.ts';

const port = z.coerce.number().int().min(1).max(65535);

const extraRule = z.strictObject({
  action: z.enum(['allow', 'limit', 'deny', 'reject']),
  port: z.union([z.number(), z.string()]).optional(),
  protocol: z.enum(['tcp', 'udp', 'any']).optional(),
  from: z.string().optional(),
  why: z.string(),
});

export default defineRole({
  name: 'firewall',
  variables: z.object({
    ansible_port: port
      .optional()
      .describe('where Hostwright connects to; ssh unless firewall_ssh_port says another'),
    firewall_ssh_port: port
      .optional()
      .describe('the port of sshd on the host (default: that of this connection)'),
    firewall_ssh_from: z
      .array(z.string())
      .nonempty()
      .default(['any'])
      .describe('addresses and networks that may use ssh; the one you come from must be among them'),
    firewall_ssh_limit: z
      .boolean()
      .default(false)
      .describe('refuse ssh from an address after six new connections within 30 seconds'),
    firewall_rules: z
      .array(extraRule)
      .default([])
      .describe(
        'rules before all others: action, port, protocol, from, why; to deny, or for what no role declares',
      ),
    firewall_kept_files: z
      .array(
        z.enum(['before.rules', 'before6.rules', 'after.rules', 'after6.rules', 'before.init', 'after.init']),
      )
      .default([])
      .describe(
        'files below /etc/ufw that you maintain yourself; the others have the rules of the package, and hooks do not run',
      ),
    firewall_logging: z
      .enum(['off', 'low', 'medium', 'high', 'full'])
      .default('low')
      .describe('how much ufw logs of what it refuses'),
  }),
  resources: ({ vars, host, facts, site }) => {
    const { connection } = facts;
    const sshPort = vars.firewall_ssh_port ?? connection?.port ?? vars.ansible_port ?? 22;
    if (connection !== undefined && connection.port !== sshPort) {
      throw new HostwrightError(
        'E_VARIABLE',
        `the firewall would close the port that Hostwright is connected to`,
        {
          place: { host: host.name },
          found: `firewall_ssh_port ${sshPort}, while this connection came in at port ${connection.port}`,
          hint: 'let sshd listen on both ports, connect to the new one (ansible_port), and only then change it',
        },
      );
    }
    const ssh = vars.firewall_ssh_from.map((from): Rule => ({
      action: vars.firewall_ssh_limit ? 'limit' : 'allow',
      port: sshPort,
      protocol: 'tcp',
      from,
      why: 'ssh',
    }));
    const others = declaredRules(site.listens(host.name), host, site).filter(
      (rule) => rule.port !== sshPort || rule.protocol !== 'tcp',
    );
    return [
      pkg('ufw'),
      // The type ufw tries new rules behind mounts of its own; minimal Debian has no mount(8) any more.
      pkg('mount'),
      ufw(
        {
          logging: vars.firewall_logging,
          kept: vars.firewall_kept_files,
          rules: [...vars.firewall_rules, ...ssh, ...others],
          ...(connection === undefined
            ? {}
            : { connection: { port: connection.port, address: connection.address } }),
        },
        { needs: ['package:ufw', 'package:mount'] },
      ),
    ];
  },
});
