/**
 * Shell for a bare host of the lab, as root: it becomes what people have, a machine that an installer, a provider's
 * image and cloud-init have set up, with disks of its own. All of it lasts until the host reboots.
 */
export const installedMachine = `set -eu
# Nothing can be executed where packages and programs like to unpack themselves; /run is so in any lab.
mount -o remount,noexec,nosuid,nodev /tmp
mount --bind /var/tmp /var/tmp
mount -o remount,bind,noexec,nosuid,nodev /var/tmp

# A data disk: /srv leads there, and the data of the database is a mount with what mkfs leaves.
mkdir -p /data/srv /data/mysql/lost+found /var/lib/mysql
chmod 0700 /data/mysql/lost+found
rmdir /srv
ln -s data/srv /srv
echo '/data/mysql /var/lib/mysql none bind 0 0' >>/etc/fstab
mount --bind /data/mysql /var/lib/mysql

# cloud-init.
echo 'PasswordAuthentication yes' >/etc/ssh/sshd_config.d/50-cloud-init.conf
printf '%s\\n' '# Created by cloud-init' 'admin ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/90-cloud-init-users
chmod 0440 /etc/sudoers.d/90-cloud-init-users

# A provider.
mkdir -p /etc/nginx/conf.d
echo 'server_tokens on;' >/etc/nginx/conf.d/provider.conf

# A careful administrator, who does not speak English.
echo 'session optional pam_umask.so umask=077' >>/etc/pam.d/common-session
sed -i 's/^UMASK.*/UMASK 077/' /etc/login.defs
echo LANG=de_DE.UTF-8 >/etc/default/locale

# What others left.
mkdir -p /etc/haproxy
echo 'notes of a person' >/etc/haproxy/README
`;
