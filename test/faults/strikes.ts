/** What can go wrong with the disk of a host; all of it is taken back by `removeAll`. */
export interface Strikes {
  /** A small file system takes the place of a folder, with all that is in there. */
  mountSmall(path: string, options: string): Promise<void>;
  /** Nothing fits into a folder any more. */
  fill(path: string, size?: string): Promise<void>;
  /** No further name fits into a folder. */
  useUpInodes(path: string): Promise<void>;
  /** A folder is there to read only. */
  freeze(path: string): Promise<void>;
  removeAll(): Promise<void>;
}

/** `shell` runs shell as root on the host and throws where it fails. */
export function strikesOn(shell: (script: string) => Promise<string>): Strikes {
  const mounted: string[] = [];
  const mountSmall = async (path: string, options: string): Promise<void> => {
    await shell(`set -e
      mkdir -p ${path} /run/aside
      cp -aT ${path} /run/aside
      mount -t tmpfs -o mode=0755,${options} none ${path}`);
    mounted.push(path);
    await shell(`set -e
      cp -aT /run/aside ${path}
      rm -rf /run/aside`);
  };
  return {
    mountSmall,
    async fill(path, size = '512k') {
      await mountSmall(path, `size=${size}`);
      await shell(`head -c 100M /dev/zero >${path}/filler; true`);
    },
    async useUpInodes(path) {
      await mountSmall(path, 'nr_inodes=200');
      await shell(`for n in $(seq 200); do touch ${path}/filler.$n || break; done; true`);
    },
    async freeze(path) {
      await shell(`mkdir -p ${path} && mount --bind ${path} ${path} && mount -o remount,ro,bind ${path}`);
      mounted.push(path);
    },
    async removeAll() {
      for (let path = mounted.pop(); path !== undefined; path = mounted.pop()) await shell(`umount ${path}`);
    },
  };
}

/**
 * A dpkg that is killed in the middle of a package of its own, `slow`, which can be configured the second time.
 * Standard input of the script is what the package runs to be configured.
 */
export const killDpkg = {
  script: `set -e
    rm -rf /root/slow /run/in-postinst
    mkdir -p /root/slow/DEBIAN
    printf '%s\\n' 'Package: slow' 'Version: 1' 'Architecture: all' 'Maintainer: nobody <nobody@example.org>' \\
      'Description: slow' >/root/slow/DEBIAN/control
    cat >/root/slow/DEBIAN/postinst
    chmod 0755 /root/slow/DEBIAN/postinst
    dpkg-deb --build /root/slow /root/slow.deb >/dev/null
    systemd-run --quiet --unit=killed dpkg -i /root/slow.deb
    timeout 60 sh -c "until [ -e /run/in-postinst ]; do sleep 0.1; done"
    kill -9 $(systemctl show -p MainPID --value killed)
    systemctl stop killed 2>/dev/null || :
    systemctl reset-failed
    dpkg --audit | grep slow
    ls /var/lib/dpkg/updates | grep .`,
  postinst: '#!/bin/sh\n[ ! -e /run/in-postinst ] || exit 0\ntouch /run/in-postinst\nsleep 300\n',
  cleanUp: 'dpkg --purge slow; rm -rf /root/slow /root/slow.deb',
} as const;
