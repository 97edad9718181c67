import type { Damage } from './damage.ts';

type Slot = Pick<Damage, 'round' | 'host' | 'what' | 'seen' | 'breaks' | 'sound'>;

const firewallOf = (slot: Slot): Damage => ({
  role: 'firewall',
  resource: 'ufw:firewall',
  action: 'update',
  ...slot,
});

/** The firewall: by ufw, in its files, and behind its back. */
export const firewall: readonly Damage[] = (
  [
    {
      what: 'ufw disabled',
      round: 1,
      host: 'web1',
      seen: { enabled: 'false → true', kernel: 'nothing of it → as configured' },
      breaks: 'ufw --force disable',
      sound: `ufw status | grep -q 'Status: active' && iptables -S INPUT | grep -qx -- '-P INPUT DROP'`,
    },
    {
      what: 'a rule added by ufw',
      round: 1,
      host: 'web2',
      seen: { 'allow 9999/tcp': 'no comment → ' },
      breaks: 'ufw allow 9999/tcp',
      sound: '! iptables -S ufw-user-input | grep -q 9999',
    },
    {
      what: 'a rule removed by ufw',
      round: 2,
      host: 'web1',
      seen: { 'allow 443/tcp': ' → the site' },
      breaks: 'ufw delete allow 443/tcp',
      sound: `iptables -S ufw-user-input | grep -q 'dport 443 -j ACCEPT' && ip6tables -S ufw6-user-input | grep -q 'dport 443 -j ACCEPT'`,
    },
    {
      what: 'a rule that refuses put behind the one that allows',
      round: 2,
      host: 'web3',
      seen: { order: '' },
      breaks: 'ufw delete deny from 203.0.113.0/24; ufw deny from 203.0.113.0/24 comment noise',
      sound: `iptables -S ufw-user-input | sed -n 2p | grep -q '203.0.113.0/24 -j DROP'`,
    },
    {
      what: 'everything let in that no rule refuses',
      round: 3,
      host: 'web2',
      seen: { incoming: 'allow → deny' },
      breaks: 'ufw default allow incoming',
      sound: `iptables -S INPUT | grep -qx -- '-P INPUT DROP'`,
    },
    {
      what: 'logging turned off',
      round: 3,
      host: 'web3',
      seen: { logging: 'off → low' },
      breaks: 'ufw logging off',
      sound: `iptables -S | grep -q 'UFW BLOCK'`,
    },
    {
      what: 'the tables flushed with iptables behind ufw',
      round: 4,
      host: 'web1',
      seen: { kernel: '' },
      breaks: 'iptables -P INPUT ACCEPT; iptables -F; ip6tables -P INPUT ACCEPT; ip6tables -F',
      sound: `iptables -S ufw-user-input | grep -q 'dport 443 -j ACCEPT' && iptables -S INPUT | grep -qx -- '-P INPUT DROP'`,
    },
    {
      what: 'a port opened with iptables behind ufw',
      round: 4,
      host: 'web2',
      seen: {
        kernel: '0 lines too few, 1 too many: -A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT → as configured',
      },
      breaks: 'iptables -I INPUT 1 -p tcp --dport 3306 -j ACCEPT',
      sound: '! iptables -S INPUT | grep -q 3306',
    },
    {
      what: 'a rule put into a chain of ufw with iptables',
      round: 5,
      host: 'web1',
      seen: {
        kernel:
          '0 lines too few, 1 too many: -A ufw-user-input -p tcp -m tcp --dport 9999 -j ACCEPT → as configured',
      },
      breaks: 'iptables -I ufw-user-input 1 -p tcp --dport 9999 -j ACCEPT',
      sound: '! iptables -S ufw-user-input | grep -q 9999',
    },
    {
      what: 'the rules of IPv6 flushed behind ufw',
      round: 5,
      host: 'web3',
      seen: { kernel: '' },
      breaks: 'ip6tables -F ufw6-user-input',
      sound: `ip6tables -S ufw6-user-input | grep -q 'dport 22 -j ACCEPT'`,
    },
    {
      what: 'the files of ufw edited for the next boot',
      round: 6,
      host: 'web2',
      seen: { 'allow 22/tcp': 'ssh (only IPv4) → ssh', kernel: '' },
      breaks: `sed -i '/dport 22/d; /^### tuple ### allow tcp 22/d' /etc/ufw/user6.rules`,
      sound: `grep -q 'dport 22 -j ACCEPT' /etc/ufw/user6.rules`,
    },
    {
      what: 'ufw disabled for the next boot',
      round: 6,
      host: 'web3',
      seen: { unit: 'disabled → enabled' },
      breaks: 'systemctl disable ufw.service',
      sound: 'test -L /etc/systemd/system/multi-user.target.wants/ufw.service',
    },
    {
      what: 'IPv6 left out of the firewall',
      round: 6,
      host: 'web3',
      seen: { ipv6: 'false → true', 'allow 22/tcp': 'ssh (only IPv4) → ssh' },
      breaks: `sed -i 's/^IPV6=.*/IPV6=no/' /etc/default/ufw; ufw reload`,
      sound: `ip6tables -S INPUT | grep -qx -- '-P INPUT DROP' && ip6tables -S ufw6-user-input | grep -q 'dport 22 '`,
    },
    {
      what: 'a connection refused with iptables before ufw sees it',
      round: 3,
      host: 'web3',
      seen: { kernel: '' },
      breaks: 'iptables -I INPUT 1 -p tcp --dport 8443 -j DROP',
      sound: '! iptables -S INPUT | grep -q 8443',
    },
  ] satisfies readonly Slot[]
).map(firewallOf);
