import { HostwrightError } from '../errors.ts';
import type { Login } from '../resources/capabilities/access.ts';
import { endStartPolicy } from '../resources/apt/start-policy.ts';
import type { Facts } from '../roles/role.ts';
import { lines, sh, type Script } from '../transport/shell.ts';
import type { Answer, Lock } from '../transport/transport.ts';
import type { KnownFacts } from './applied.ts';
import { printUnconfirmed, rollBack, unconfirmed } from '../rollback/unconfirmed.ts';

const printFacts = sh`(ID='' VERSION_CODENAME=''
. /etc/os-release
printf 'ID=%s\nVERSION_CODENAME=%s\n' "$ID" "$VERSION_CODENAME") 2>/dev/null || :
printf 'architecture=%s\n' "$(dpkg --print-architecture 2>/dev/null)"
read -r hostname </proc/sys/kernel/hostname
read -r kernel </proc/sys/kernel/osrelease
printf 'hostname=%s\nkernel=%s\n' "$hostname" "$kernel"
printf 'processors=%s\n' "$(nproc)"
set --
for file in /etc/sudoers.d/*; do [ ! -f "$file" ] || set -- "$@" "$file"; done
{ ip -o address show scope global; ip -o -4 route show default; } 2>/dev/null | awk '
/^MemTotal/ && kind == "" { print "memory=" $2; print "connection=" ENVIRON["HW_LOGIN"] " " ENVIRON["SSH_CONNECTION"] }
kind == "user" && split($0, entry, ":") && entry[1] == ENVIRON["HW_LOGIN"] { print "home=" entry[6]; gid = entry[4]; uid = "#" entry[3] }
kind == "group" && split($0, entry, ":") && (entry[3] == gid || index("," entry[4] ",", "," ENVIRON["HW_LOGIN"] ",")) { mine["%" entry[1]] }
kind == "sudo" && ($1 == ENVIRON["HW_LOGIN"] || $1 == uid || $1 in mine || $1 == "User_Alias" && gsub(/[=,]/, " ") >= 0 && index($0 " ", " " ENVIRON["HW_LOGIN"] " ")) && !(FILENAME in sudo) { sudo[FILENAME]; print "sudoers=" substr(FILENAME, length("/etc/sudoers.d/") + 1) }
kind == "ip" && $1 == "default" && !seen++ { for (i = 1; i < NF; i++) if ($i == "dev") { print "default=" $(i + 1); break } }
kind == "ip" && $1 != "default" { split($4, a, "/"); print "address=" a[1] " " $2 }' /proc/meminfo kind=user /etc/passwd kind=group /etc/group kind=sudo "$@" kind=ip -
ipv6=none
if [ -e /proc/net/if_inet6 ]; then
  ipv6=on
  for off in /proc/sys/net/ipv6/conf/*/disable_ipv6; do
    if read -r value <"$off" && [ "$value" != 0 ]; then ipv6=off; fi
  done
fi
printf 'ipv6=%s\n' "$ipv6"
container=none
if [ -s /run/systemd/container ]; then read -r container </run/systemd/container || :; fi
printf 'container=%s\n' "$container"`;

/**
 * Prints `name=value` lines; together with the lock it is the first request of every run. A change that waits to be
 * confirmed is of a run that has ended. A run that may change the host has it rolled back first, and clears up what
 * such a run has left; one that only reads says that it waits.
 */
export function factsScript(mode: Lock['mode']): Script {
  return lines([...(mode === 'exclusive' ? [rollBack, endStartPolicy] : [printUnconfirmed]), printFacts]);
}

/** `USER CLIENT-ADDRESS CLIENT-PORT SERVER-ADDRESS SERVER-PORT`. */
function parseConnection(
  words = '',
  more: Pick<Login, 'home'> & Required<Pick<Login, 'sudoers'>>,
): Facts['connection'] {
  const [user, address, , , port] = words.split(' ');
  if (user === undefined || address === undefined || port === undefined) return undefined;
  return { user, address: address.replace(/%.*$/, ''), port: Number(port), ...more };
}

/** In use only with an address, beside that of each link. */
function parseIpv6(word = 'none', addresses: readonly string[]): Facts['ipv6'] {
  if (word !== 'on') return word === 'off' ? 'off' : 'none';
  return addresses.some((address) => address.includes(':')) ? 'on' : 'off';
}

/** Bytes of facts: far more than any host has to say. */
const mostBytes = 1024 * 1024;

/** E_PROBE when the host is not one that Hostwright knows how to manage, E_UNCONFIRMED when a change of it waits. */
export function parseFacts(host: string, answer: Answer): Facts {
  if (answer.stdout.length > mostBytes) {
    throw new HostwrightError('E_PROBE', `the facts of ${host} are too large`, {
      place: { host },
      found: `${answer.stdout.length} bytes`,
      expected: `at most ${mostBytes} bytes`,
    });
  }
  const pairs = answer.stdout
    .toString('utf8')
    .split('\n')
    .filter((line) => line.includes('='))
    .map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
  const values = new Map(pairs);
  const waiting = values.get('unconfirmed');
  if (waiting !== undefined) throw unconfirmed(host, waiting);
  const carried = pairs.filter(([name]) => name === 'address').map(([, value]) => value.split(' '));
  const addresses = carried.flatMap(([address]) => address ?? []);
  const home = values.get('home');
  const sudoers = pairs.flatMap(([name, value]) => (name === 'sudoers' ? [value] : []));
  const connection = parseConnection(values.get('connection'), {
    ...(home === undefined ? {} : { home }),
    sudoers,
  });
  const container = values.get('container') ?? 'none';
  const facts: Facts = {
    os: values.get('ID') ?? '',
    codename: values.get('VERSION_CODENAME') ?? '',
    architecture: values.get('architecture') ?? '',
    hostname: values.get('hostname') ?? '',
    kernel: values.get('kernel') ?? '',
    processors: Number(values.get('processors')),
    memory: Number(values.get('memory')) * 1024,
    addresses,
    interface: values.get('default') ?? carried[0]?.[1] ?? '',
    ipv6: parseIpv6(values.get('ipv6'), addresses),
    container: container !== '' && container !== 'none',
    ...(connection === undefined ? {} : { connection }),
  };
  if (facts.architecture === '' && facts.os === 'debian') {
    throw new HostwrightError('E_PROBE', `dpkg does not work on ${host}`, {
      place: { host },
      found: 'dpkg --print-architecture gives no answer',
      hint: 'run it on the host: the program may be missing, or a library of it',
    });
  }
  if (facts.architecture === '' || !Number.isFinite(facts.memory)) {
    throw new HostwrightError('E_PROBE', `${host} is not a Debian host`, {
      place: { host },
      found: facts.os === '' ? answer.stderr.toString('utf8').trim().slice(-300) : facts.os,
      expected: 'Debian or a descendant, with dpkg',
    });
  }
  return facts;
}

/**
 * Facts as roles are given them. What roles decide by must not follow damage: IPv6 that was in use, and the address
 * that the inventory gives the host, count as the host's own for as long as a record of it says so, and what is
 * declared for them stays.
 */
export function steadyFacts(now: Facts, before: KnownFacts, address: string | undefined): Facts {
  const isLost =
    address !== undefined && before.addresses?.includes(address) === true && !now.addresses.includes(address);
  return {
    ...now,
    addresses: isLost ? [...now.addresses, address] : now.addresses,
    ipv6: before.ipv6 === 'on' && now.ipv6 === 'off' ? 'on' : now.ipv6,
  };
}
