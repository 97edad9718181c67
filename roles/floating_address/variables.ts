import { secret, z } from 'hostwright';

const ip = z.union([z.ipv4(), z.ipv6()], { error: 'expected an IP address' });

export const isIpv6 = (address: string): boolean => address.includes(':');

export const variables = z.object({
  balancer_address: z
    .union([ip.transform((address) => [address]), z.array(ip)], {
      error: 'expected an IP address, or a list of one IPv4 and one IPv6 address',
    })
    .refine(
      (addresses) => new Set(addresses.map(isIpv6)).size === addresses.length,
      'expected at most one address of IPv4 and one of IPv6',
    )
    .default([])
    .describe(
      'the address of the site, IPv4 or IPv6 or a list of both; one of the balancers has it, another one takes it over',
    ),
  balancer_interface: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,15}$/, 'expected the name of an interface')
    .optional()
    .describe('the interface that gets the address; that of the default route unless set'),
  balancer_takeover: z
    .array(z.string().regex(/^[^\0\n]+$/, 'expected a single line'))
    .refine((words) => words[0]?.startsWith('/') !== false, 'expected the absolute path of a program first')
    .default([])
    .describe(
      'a command that tells a provider to send the address to this host, with its arguments; run where the address is, again and again',
    ),
  balancer_takeover_environment: z
    .record(
      z.string().regex(/^[A-Za-z_]\w*$/, 'expected the name of an environment variable'),
      z.union([z.string(), secret()]),
    )
    .default({})
    .describe('environment variables of this command, such as a token; values may be encrypted'),
});

export type Variables = z.output<typeof variables>;
