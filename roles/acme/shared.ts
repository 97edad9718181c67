import { z } from 'hostwright';

/** The bundle that browsers see: the role haproxy serves it, the role certificate has it renewed. */
export const bundle = '/etc/haproxy/certs/site.pem';

export const acmePort = z
  .number()
  .int()
  .min(1024)
  .max(65_535)
  .default(8402)
  .describe('the port on 127.0.0.1 at which the ACME client answers challenges');
