import type { Damage } from './damage.ts';

const say = (command: string): string =>
  `echo '${command}' | socat -t5 - UNIX-CONNECT:/run/haproxy/admin.sock`;

interface Slot {
  readonly what: string;
  readonly round: number;
  /** What the socket is told. */
  readonly told: string;
  /** As the plan says it. */
  readonly said: string;
  /** A question, and an awk pattern that a line of its answer matches while all is well. */
  readonly asks: readonly [question: string, pattern: string];
}

const byState = (server: string, pattern: string): Slot['asks'] => [
  'show servers state',
  `$4 == "${server}" && ${pattern}`,
];
const frontend = (name: string, pattern: string): Slot['asks'] => [
  'show stat',
  `/^${name},FRONTEND,/ && ${pattern}`,
];

/** In the order in which the plan says it. */
const slots: readonly Slot[] = [
  {
    what: 'few connections a second',
    round: 11,
    told: 'set rate-limit connections global 50',
    said: 'takes 50 a second (ConnRateLimit)',
    asks: ['show info', '/^ConnRateLimit: 0$/'],
  },
  {
    what: 'few connections in all',
    round: 12,
    told: 'set maxconn global 200',
    said: 'takes 200 connections instead of 8000',
    asks: ['show info', '/^Maxconn: 8000$/'],
  },
  {
    what: 'a server in maintenance',
    round: 11,
    told: 'set server web/web1 state maint',
    said: 'web/web1 is in maintenance',
    asks: byState('web1', '$7 == 0'),
  },
  {
    what: 'a server that is drained',
    round: 12,
    told: 'set server web/web1 state drain',
    said: 'web/web1 is drained',
    asks: byState('web1', '$7 == 0'),
  },
  {
    what: 'a server that gets no visitors',
    round: 11,
    told: 'set server web/web2 weight 0',
    said: 'web/web2 has the weight 0 instead of 1',
    asks: byState('web2', '$8 == 1'),
  },
  {
    what: 'a server that is no longer checked',
    round: 12,
    told: 'disable health web/web2',
    said: 'web/web2 is not checked',
    asks: byState('web2', '$14 % 8 >= 4'),
  },
  {
    what: 'visitors sent to another address',
    round: 12,
    told: 'set server web/web3 addr 192.0.2.9',
    said: 'web/web3 is sent to 192.0.2.9:8443',
    asks: byState('web3', '$5 != "192.0.2.9"'),
  },
  {
    what: 'few visitors let in',
    round: 11,
    told: 'set maxconn frontend https 10',
    said: 'the frontend https takes 10 connections instead of 8000',
    asks: frontend('https', '/,8000,/'),
  },
  {
    what: 'metrics paused',
    round: 11,
    told: 'disable frontend metrics',
    said: 'the frontend metrics is paused',
    asks: frontend('metrics', '/,OPEN,/'),
  },
];

const ended: Slot = {
  what: 'a frontend shut down',
  round: 12,
  told: 'shutdown frontend metrics',
  said: 'the frontend metrics is gone',
  asks: frontend('metrics', '/,OPEN,/'),
};

const bySocket = ({ what, round, told, said, asks: [question, pattern] }: Slot): Damage => ({
  what,
  round,
  host: 'web1',
  role: 'haproxy',
  resource: 'service:haproxy.service',
  action: 'reload',
  seen: { current: `${said} → current` },
  breaks: say(told),
  sound: `${say(question)} | awk '${pattern} { found = 1 } END { exit !found }'`,
});

const certificate = '/etc/haproxy/certs/site.pem';

/** What the admin socket of HAProxy changes: no file of the host shows it. */
export const balancerRunning: readonly Damage[] = [
  ...slots.map(bySocket),
  {
    what: 'another certificate shown to visitors, by the socket',
    round: 11,
    host: 'web1',
    role: 'haproxy',
    resource: 'service:haproxy.service',
    action: 'reload',
    seen: { current: `serves another certificate than ${certificate} → current` },
    follows: ['acme_certificate:www.foobar.com update'],
    breaks: `folder=$(mktemp -d)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$folder/key" -out "$folder/crt" -subj /CN=other
{ printf 'set ssl cert ${certificate} <<\\n'; cat "$folder/crt" "$folder/key"; echo; } | socat -t5 - UNIX-CONNECT:/run/haproxy/admin.sock
${say(`commit ssl cert ${certificate}`)}
rm -r "$folder"`,
    sound: `! ${say(`show ssl cert ${certificate}`)} | grep -q CN=other`,
  },
  {
    what: 'an address without limits, by the socket',
    round: 12,
    host: 'web1',
    role: 'haproxy',
    resource: 'service:haproxy.service',
    action: 'reload',
    seen: { current: 'the acl in line 55 has 2 entries instead of 1 → current' },
    breaks: `number=$(${say('show acl')} | awk '/acl .src. / { print $1; exit }')
echo "add acl #$number 203.0.113.9" | socat -t5 - UNIX-CONNECT:/run/haproxy/admin.sock`,
    sound: `! ${say('show acl')} | awk '/acl .src. / && !/entry_cnt=1$/ { found = 1 } END { exit !found }'`,
  },
  bySocket(ended),
];
