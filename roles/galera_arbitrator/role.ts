import { arbitratorState, defineRole, file, hostGroup, pkg, service, unit, z } from 'hostwright';
import { clusterName, hostOf, providerOptions } from '../galera/cluster.ts';

/** Debian's service runs as a user without a group of its own, which could not read a key. The role pki makes it. */
const keyGroup = 'garb';

const keys = {
  authority: '/etc/hostwright/pki/ca.crt',
  certificate: '/etc/hostwright/pki/garb.crt',
  key: '/etc/hostwright/pki/garb.key',
};

export default defineRole({
  name: 'galera_arbitrator',
  variables: z.object({}),
  listens: () => [{ port: 4567, from: hostGroup('db'), why: 'Galera' }],
  declares: () => [{ kind: 'certificate', name: 'garb', group: keyGroup }],
  observes: () => [{ name: 'galera', script: arbitratorState }],
  resources: ({ host, facts, site, template }) => {
    const listen = facts.addresses.includes(host.address) ? host.address : '0.0.0.0';
    return [
      pkg('galera-arbitrator-4'),
      unit('garb.service', {
        dropIn: 'hostwright',
        content: String(template('galera_arbitrator/garb.conf.hbs', { keyGroup })),
      }),
      file('/etc/default/garb', {
        content: template('galera_arbitrator/garb.hbs', {
          nodes: site
            .hosts('db')
            .map(({ address }) => `${hostOf(address)}:4567`)
            .join(' '),
          cluster: clusterName,
          options: providerOptions(keys, listen).join(';'),
        }),
      }),
      service(
        'garb',
        { restartOn: ['/etc/default/garb', keys.certificate, keys.authority] },
        { needs: ['package:galera-arbitrator-4', 'host_certificate:garb'] },
      ),
    ];
  },
});
