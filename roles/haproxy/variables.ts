import { z } from 'hostwright';

const hostName = z.string().regex(/^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/, 'expected a host name');

const network = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
  error: 'expected an IP address or a network such as 203.0.113.0/24',
});

export const variables = z.object({
  domain: hostName.describe('the name of the site, such as www.foobar.com'),
  certificate_names: z.array(hostName).default([]).describe('more names of the site, for its certificate'),
  haproxy_keep: z
    .array(z.string())
    .default([])
    .describe(
      'names in /etc/haproxy/certs and /etc/haproxy/errors that stay although no role writes them, with * and ?',
    ),
  haproxy_balance: z
    .enum(['roundrobin', 'leastconn', 'random'])
    .default('roundrobin')
    .describe('how requests are spread over the backends'),
  haproxy_max_connections: z
    .number()
    .int()
    .min(100)
    .default(8_000)
    .describe('connections at the same time; more wait in the queue of the kernel'),
  haproxy_max_connections_per_address: z
    .number()
    .int()
    .min(0)
    .default(500)
    .describe(
      'connections at the same time of one address (of a /64 of IPv6); more are closed. 0: any number',
    ),
  haproxy_max_requests_per_address: z
    .number()
    .int()
    .min(0)
    .default(3_000)
    .describe(
      'requests of one address (of a /64 of IPv6) within ten seconds; more are answered with 429. 0: any number',
    ),
  haproxy_unlimited_addresses: z
    .array(network)
    .default([])
    .describe(
      'addresses and networks without these two limits, such as those of a CDN, beside the hosts of the inventory',
    ),
  haproxy_server_timeout: z
    .number()
    .int()
    .positive()
    .default(60)
    .describe('seconds that a backend may take to answer'),
  haproxy_hard_stop_after: z
    .number()
    .int()
    .positive()
    .default(300)
    .describe('seconds that connections may go on in the old process after a reload'),
  haproxy_hsts_seconds: z
    .number()
    .int()
    .min(0)
    .default(63_072_000)
    .describe('seconds that browsers are to insist on https for (Strict-Transport-Security)'),
  haproxy_log: z
    .enum(['all', 'errors'])
    .default('errors')
    .describe('which requests go to the journal: all of them, or those that fail'),
});

export type Variables = z.output<typeof variables>;
