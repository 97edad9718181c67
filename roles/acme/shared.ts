/** The bundle that browsers see: the role haproxy serves it, the role certificate has it renewed. */
export const bundle = '/etc/haproxy/certs/site.pem';
