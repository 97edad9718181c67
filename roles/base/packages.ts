import {
  directory,
  dpkg,
  file,
  packageFiles,
  pkg,
  service,
  type Resource,
  type RoleContext,
} from 'hostwright';
import type { Variables } from './variables.ts';

/** What apt reads must be right before anything uses apt. */
const aptIsConfigured = { needs: ['file:/etc/apt/apt.conf.d/99zz-hostwright'] } as const;

/** A package of this role. */
export function basePackage(name: string): Resource {
  return pkg(name, {}, aptIsConfigured);
}

/** Packages change without questions, whoever runs apt, and security updates come by themselves. */
export function packages({ vars, template }: RoleContext<Variables>): readonly Resource[] {
  const enabled = vars.base_upgrades;
  return [
    dpkg(aptIsConfigured),
    packageFiles(aptIsConfigured),
    // The value of the last file counts, and those of packages have numbers up to 99.
    file('/etc/apt/apt.conf.d/99zz-hostwright', { content: template('base/apt.conf.hbs', {}) }),
    // Read by needrestart, which some images bring along: it would ask, on a terminal, and wait.
    directory('/etc/needrestart'),
    // The package of needrestart has a README there.
    directory('/etc/needrestart/conf.d', { exclusive: true, keep: ['README*', ...vars.base_keep] }),
    file('/etc/needrestart/conf.d/hostwright.conf', { content: template('base/needrestart.conf.hbs', {}) }),
    // Hostwright checks new configuration behind mounts of its own; minimal Debian has no mount(8) any more.
    basePackage('mount'),
    basePackage('unattended-upgrades'),
    // What services and apt log to files would fill the disk of a host that nobody looks at.
    basePackage('logrotate'),
    file('/etc/apt/apt.conf.d/20auto-upgrades', {
      content: template('base/auto-upgrades.hbs', { days: enabled ? '1' : '0' }),
    }),
    // The settings of the package itself, 50unattended-upgrades, are Debian's and stay so.
    file('/etc/apt/apt.conf.d/52unattended-upgrades-hostwright', {
      content: template('base/unattended-upgrades.hbs', { reboot: vars.base_reboot ?? null }),
    }),
    service('unattended-upgrades', { running: enabled, enabled }),
    service('apt-daily.timer', { running: enabled, enabled }),
    service('apt-daily-upgrade.timer', { running: enabled, enabled }),
  ];
}
