import type { FaultSite } from './recovery.ts';

/**
 * Variables that differ from those of any other `count` in something of everything that a site changes in its
 * life: files, rules, a release, accounts, a package.
 */
export function anotherState(count: number): Readonly<Record<string, unknown>> {
  return {
    haproxy_server_timeout: 60 + count,
    nginx_client_timeout: 15 + count,
    app_environment: { WORD: `word ${count}` },
    app_exclude: ['.git', '__pycache__', ...(count % 2 === 0 ? [] : ['README.md'])],
    app_packages: ['python3', 'python3-pymysql', 'tree'],
    base_hosts: { '192.0.2.1': [`other${count}`] },
    base_sysctl: { 'net.ipv4.tcp_keepalive_time': 7200 - count },
    firewall_rules: [
      { action: 'allow', port: 9999, protocol: 'tcp', from: `192.0.2.${count}`, why: 'an example' },
    ],
    mysql_databases: [`extra${count}`],
  };
}

/** The package of that state is to be installed again. */
export async function removePackage(site: FaultSite): Promise<void> {
  for (const host of site.names) await site.hosts.shell(host, 'dpkg --purge tree 2>/dev/null');
}
