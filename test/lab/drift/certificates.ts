import type { Damage } from './damage.ts';

const pki = '/etc/hostwright/pki';
const bundle = '/etc/haproxy/certs/site.pem';

const verifies = (name: string): string =>
  `openssl verify -CAfile ${pki}/ca.crt ${pki}/${name}.crt
[ "$(openssl x509 -in ${pki}/${name}.crt -noout -subject -nameopt RFC2253)" = 'subject=CN=${name}' ]
[ "$(openssl x509 -in ${pki}/${name}.crt -noout -pubkey)" = "$(openssl pkey -in ${pki}/${name}.key -pubout)" ]
cat ${pki}/${name}.crt ${pki}/${name}.key | cmp - ${pki}/${name}.pem`;

/** Succeeds when browsers get a certificate of the CA of the lab, and HAProxy would load the same. */
const isServed = `timeout 10 openssl s_client -connect 127.0.0.1:443 -servername www.foobar.com </dev/null >/var/tmp/served 2>/dev/null
openssl x509 -in /var/tmp/served -noout -issuer | grep -q Pebble
openssl x509 -in ${bundle} -noout -issuer | grep -q Pebble
openssl x509 -in ${bundle} -noout -checkend 0`;

/** A certificate for the site, self-signed or of a CA made for it, with its key in one file. */
const swap = (days: string, isSelfSigned: boolean): string => `cd /var/tmp
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=other -keyout o.key -out o.crt
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes ${days} -subj /CN=www.foobar.com \\
  -addext subjectAltName=DNS:www.foobar.com -addext basicConstraints=critical,CA:FALSE ${isSelfSigned ? '' : '-CA o.crt -CAkey o.key'} -keyout s.key -out s.crt
cat s.crt s.key >${bundle}`;

/** Certificates and keys: of the internal CA, and the one that browsers see. */
export const certificates: readonly Damage[] = [
  {
    what: 'a certificate of the internal CA replaced by a self-signed one that has run out',
    round: 1,
    host: 'web2',
    role: 'pki',
    resource: 'host_certificate:node-exporter',
    action: 'update',
    seen: {
      names: '',
      usage: '',
      authority: '',
      validFor: '31 days → 1825 days',
      renewal: 'due: expired → not due',
      bundle: '',
      key: '',
    },
    breaks: `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=node-exporter \\
  -not_before 20240101000000Z -not_after 20240201000000Z -keyout /var/tmp/x.key -out ${pki}/node-exporter.crt`,
    sound: verifies('node-exporter'),
  },
  {
    what: 'a certificate and its key replaced by those of another service',
    round: 2,
    host: 'web3',
    role: 'pki',
    resource: 'host_certificate:nginx-exporter',
    action: 'update',
    seen: { subject: 'CN=node-exporter → CN=nginx-exporter' },
    breaks: `cd ${pki}; for part in crt key pem; do cat node-exporter.$part >nginx-exporter.$part; done`,
    sound: verifies('nginx-exporter'),
  },
  {
    what: 'the key of a certificate replaced by another one',
    round: 2,
    host: 'web1',
    role: 'pki',
    resource: 'host_certificate:prometheus',
    action: 'update',
    seen: {
      key: 'missing or another → fits the certificate',
      bundle: 'missing or another → certificate and key',
    },
    breaks: `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 >${pki}/prometheus.key`,
    sound: verifies('prometheus'),
  },
  {
    what: 'a key opened for everybody',
    round: 5,
    host: 'web3',
    role: 'pki',
    resource: 'host_certificate:nginx',
    action: 'update',
    seen: { access: '' },
    breaks: `chmod 0644 ${pki}/nginx.key`,
    sound: `! setpriv --reuid=nobody --regid=nogroup --clear-groups cat ${pki}/nginx.key`,
  },
  {
    what: 'certificate and key in one file removed',
    round: 2,
    host: 'web1',
    role: 'pki',
    resource: 'host_certificate:haproxy',
    action: 'update',
    seen: { bundle: 'missing or another → certificate and key', access: '' },
    breaks: `rm ${pki}/haproxy.pem`,
    sound: verifies('haproxy'),
  },
  {
    what: 'a certificate removed',
    round: 4,
    host: 'web2',
    role: 'pki',
    resource: 'host_certificate:mysql',
    action: 'create',
    follows: ['service:mysql.service reload'],
    breaks: `rm ${pki}/mysql.crt`,
    sound: verifies('mysql'),
  },
  {
    what: 'a certificate overwritten with something else',
    round: 6,
    host: 'web3',
    role: 'pki',
    resource: 'host_certificate:nginx-exporter',
    action: 'update',
    seen: {
      subject: 'no certificate → CN=nginx-exporter',
      names: '',
      usage: '',
      authority: '',
      validFor: 'unknown → 1825 days',
      renewal: 'due: its time cannot be read → not due',
      key: 'missing or another → fits the certificate',
      bundle: 'missing or another → certificate and key',
    },
    breaks: `echo nonsense >${pki}/nginx-exporter.crt`,
    sound: verifies('nginx-exporter'),
  },
  {
    what: 'a foreign CA trusted, and nginx reloaded with it',
    round: 3,
    host: 'web2',
    role: 'pki',
    resource: `file:${pki}/ca.crt`,
    action: 'update',
    seen: { content: '' },
    follows: ['service:mysql.service reload', 'service:nginx.service reload'],
    breaks: `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=haproxy -keyout /var/tmp/f.key -out /var/tmp/f.crt
cat /var/tmp/f.crt >>${pki}/ca.crt
systemctl reload nginx`,
    sound: `[ "$(grep -c BEGIN ${pki}/ca.crt)" = 1 ]
if [ -f /var/tmp/f.crt ]; then
  printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' | timeout 5 openssl s_client -quiet -connect 127.0.0.1:8443 -cert /var/tmp/f.crt -key /var/tmp/f.key >/var/tmp/answer 2>/dev/null || :
  if grep -q ' 200 ' /var/tmp/answer; then exit 1; fi
fi`,
  },
  {
    what: 'the certificate of the site replaced by a self-signed one, and HAProxy restarted',
    round: 1,
    host: 'web1',
    role: 'certificate',
    resource: 'acme_certificate:www.foobar.com',
    action: 'update',
    seen: { issuer: 'none → a CA' },
    breaks: `${swap('-days 90', true)}; systemctl restart haproxy`,
    sound: isServed,
  },
  {
    what: 'the certificate of the site replaced by one that has run out',
    round: 2,
    host: 'web1',
    role: 'certificate',
    resource: 'acme_certificate:www.foobar.com',
    action: 'update',
    seen: {
      issuer: 'not the CA that was asked → a CA',
      validity: 'ended 2024-02-01 00:00:00Z → valid',
      served: 'another → this certificate',
    },
    breaks: swap('-not_before 20240101000000Z -not_after 20240201000000Z', false),
    sound: isServed,
  },
  {
    what: 'the certificate of the site replaced by one of another CA, and HAProxy restarted',
    round: 4,
    host: 'web1',
    role: 'certificate',
    resource: 'acme_certificate:www.foobar.com',
    action: 'update',
    seen: { issuer: 'not the CA that was asked → a CA' },
    breaks: `${swap('-days 90', false)}; systemctl restart haproxy`,
    sound: isServed,
  },
  {
    what: 'the certificate of the site removed',
    round: 5,
    host: 'web1',
    role: 'haproxy',
    resource: `tls_bundle:${bundle}`,
    action: 'create',
    follows: ['acme_certificate:www.foobar.com create'],
    breaks: `rm ${bundle}`,
    sound: isServed,
  },
  {
    what: 'the key of the site opened for everybody',
    round: 2,
    host: 'web1',
    role: 'haproxy',
    resource: `tls_bundle:${bundle}`,
    action: 'update',
    seen: { mode: '0644 → 0600' },
    breaks: `chmod 0644 ${bundle}`,
    sound: `[ -z "$(find ${bundle} -perm /077)" ]`,
  },
];
