import type { Refusal } from './refusal.ts';

const aside = (path: string): string => `/var/tmp/aside${path.replaceAll('/', '-')}`;

/** A small file system over a folder, with all that is in there and no space left. */
const full = (path: string, size = '64k'): string => `cp -aT ${path} ${aside(path)}
mount -t tmpfs -o mode=0755,size=${size} none ${path}
cp -aT ${aside(path)} ${path}
rm -r ${aside(path)}
cat /dev/zero >${path}/filler 2>/dev/null || :`;

/** A folder that can only be read. */
const frozen = (path: string): string => `mount --bind ${path} ${path}
mount -o remount,ro,bind ${path}`;

/** Things in the place of others, and disks: what a person put there is not removed. */
const obstacles: readonly Refusal[] = [
  {
    what: 'a folder with content in the place of a file',
    round: 1,
    host: 'web1',
    by: 'plan',
    code: 'E_REFUSED',
    resource: 'file:/etc/apt/apt.conf.d/20auto-upgrades',
    says: ['a folder with content is at this path', 'entries 1', 'force: true'],
    breaks:
      'cd /etc/apt/apt.conf.d; rm 20auto-upgrades; mkdir 20auto-upgrades; echo mine >20auto-upgrades/notes',
    undo: 'rm -r /etc/apt/apt.conf.d/20auto-upgrades',
    sound: 'test -f /etc/apt/apt.conf.d/20auto-upgrades',
  },
  {
    what: 'a folder with content in the place of a link',
    round: 1,
    host: 'web1',
    by: 'plan',
    code: 'E_REFUSED',
    resource: 'link:/etc/nginx/sites-enabled/app',
    says: ['a folder with content is at this path', 'entries 1'],
    breaks: 'cd /etc/nginx/sites-enabled; rm app; mkdir app; echo mine >app/notes',
    undo: 'rm -r /etc/nginx/sites-enabled/app',
    sound: 'test -L /etc/nginx/sites-enabled/app; nginx -t',
  },
  {
    what: 'a file system mounted over a folder',
    round: 1,
    host: 'web1',
    by: 'plan',
    code: 'E_REFUSED',
    resource: 'directory:/etc/prometheus/rules',
    says: ['a file system is mounted over this path', 'tmpfs', 'umount /etc/prometheus/rules'],
    breaks: 'mount -t tmpfs none /etc/prometheus/rules',
    undo: 'umount /etc/prometheus/rules',
    sound: 'test -s /etc/prometheus/rules/alerts.yml',
  },
  {
    what: 'a file of somebody else mounted over a file',
    round: 1,
    host: 'web2',
    by: 'plan',
    code: 'E_REFUSED',
    resource: 'file:/etc/systemd/journald.conf.d/hostwright.conf',
    says: ['a file system is mounted over this path', '/var/tmp/other.conf'],
    breaks:
      'echo "[Journal]" >/var/tmp/other.conf; mount --bind /var/tmp/other.conf /etc/systemd/journald.conf.d/hostwright.conf',
    undo: 'umount /etc/systemd/journald.conf.d/hostwright.conf',
    sound: 'grep -q = /etc/systemd/journald.conf.d/hostwright.conf',
  },
  {
    what: 'a file removed from a file system that can only be read',
    round: 2,
    host: 'web1',
    by: 'apply',
    resource: 'file:/etc/systemd/timesyncd.conf.d/hostwright.conf',
    action: 'create',
    says: ['Read-only file system'],
    breaks: `rm /etc/systemd/timesyncd.conf.d/hostwright.conf; cd /; ${frozen('/etc/systemd')}`,
    undo: 'umount /etc/systemd',
    sound: 'test -s /etc/systemd/timesyncd.conf.d/hostwright.conf',
  },
  {
    what: 'a file changed on a full disk',
    round: 2,
    host: 'web3',
    by: 'apply',
    // Nothing that runs reads this folder, whose files are others on the full disk.
    resource: 'file:/etc/tmpfiles.d/hostwright-drain.conf',
    action: 'update',
    says: ['No space left on device'],
    breaks: `echo '# mine' >>/etc/tmpfiles.d/hostwright-drain.conf; ${full('/etc/tmpfiles.d')}`,
    undo: 'umount /etc/tmpfiles.d',
    sound: '! grep -q mine /etc/tmpfiles.d/hostwright-drain.conf',
  },
];

/** Others who work on the host, and hosts on which Hostwright cannot work. */
const hindered: readonly Refusal[] = [
  {
    what: 'a run of another controller that holds the lock of the host',
    round: 3,
    host: 'web3',
    by: 'plan',
    code: 'E_LOCKED',
    says: ['lock'],
    breaks: `systemd-run --quiet --unit=drift-lock flock /run/hostwright/lock sleep 600
timeout 10 sh -c 'while flock -n /run/hostwright/lock true; do sleep 0.1; done'`,
    undo: 'systemctl stop drift-lock',
    sound: 'flock -n /run/hostwright/lock true',
  },
  {
    what: 'no space left for what Hostwright itself needs on the host',
    round: 3,
    host: 'web2',
    by: 'plan',
    code: 'E_REMOTE',
    says: ['no space left below /run/hostwright'],
    breaks: full('/run/hostwright', '128k'),
    undo: 'umount /run/hostwright',
    sound: '! grep -q " /run/hostwright " /proc/self/mountinfo',
  },
  {
    what: 'a package removed while another program holds the lock of dpkg',
    round: 4,
    host: 'web1',
    by: 'apply',
    resource: 'package:socat',
    action: 'create',
    says: ['/var/lib/dpkg/lock', 'python3'],
    breaks: `DEBIAN_FRONTEND=noninteractive apt-get -y -q remove socat
echo 'DPkg::Lock::Timeout "5";' >/etc/apt/apt.conf.d/00-impatient
systemd-run --quiet --unit=drift-dpkg python3 -c 'import fcntl, time; held = open("/var/lib/dpkg/lock-frontend", "w"); fcntl.lockf(held, fcntl.LOCK_EX); open("/run/drift-dpkg", "w"); time.sleep(600)'
timeout 10 sh -c 'until [ -e /run/drift-dpkg ]; do sleep 0.1; done'`,
    undo: 'systemctl stop drift-dpkg; rm /etc/apt/apt.conf.d/00-impatient /run/drift-dpkg',
    sound: 'socat -V',
  },
];

/** What no run can work with, or take from somebody else. */
const withheld: readonly Refusal[] = [
  {
    what: 'the program dpkg removed',
    round: 5,
    host: 'web3',
    by: 'plan',
    code: 'E_PROBE',
    says: ['dpkg does not work on web3'],
    breaks: 'mv /usr/bin/dpkg /usr/bin/dpkg.gone',
    undo: 'mv /usr/bin/dpkg.gone /usr/bin/dpkg',
    sound: 'dpkg --print-architecture',
  },
  {
    what: 'the application stopped, and its port taken by another program',
    round: 5,
    host: 'web1',
    by: 'apply',
    resource: 'service:visits.socket',
    action: 'update',
    follows: ['service:visits.service update'],
    says: ['Address already in use', '127.0.0.1:3000'],
    breaks: `systemctl stop visits.socket visits
systemd-run --quiet --unit=drift-port python3 -c 'import socket, time; held = socket.socket(); held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); held.bind(("127.0.0.1", 3000)); held.listen(); time.sleep(900)'`,
    undo: 'systemctl stop drift-port',
    sound: 'systemctl is-active visits.socket visits.service',
  },
];

/** All damages that are refused. */
export const refusals: readonly Refusal[] = [...obstacles, ...hindered, ...withheld];
