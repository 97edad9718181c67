import { sh, type Script } from '../../transport/shell.ts';

const unit = 'hostwright-prefetch';
const folder = '/var/cache/apt/hostwright';
const minutes = 30;

/** Whatever is not known yet is left out; what is not whole is thrown away. */
const download = sh`d=${folder}
trap 'rm -rf "$d"' EXIT
mkdir -p "$d/partial"
chown _apt "$d/partial"
set -- $(apt-cache madison "$@" | cut -d '|' -f 1 | sort -u)
[ $# -gt 0 ] || exit 0
apt-get -y -q -o Debug::NoLocking=1 -o Dir::Cache::archives="$d" --download-only --no-install-recommends install "$@" || :
find "$d" -maxdepth 1 -name '*.deb' -exec mv -ft /var/cache/apt/archives {} +`;

/**
 * Has the host download in the background what later transactions install. It takes none of apt's locks, and
 * promises nothing: what it does not bring its own transaction downloads.
 */
export function prefetch(names: readonly string[]): Script {
  const proxies = ['http_proxy', 'https_proxy', 'no_proxy'].map((name) => `--setenv=${name}`);
  return sh`systemd-run --quiet --collect --unit=${unit} --property=RuntimeMaxSec=${minutes}min ${proxies} sh -c ${download.text} prefetch ${names} || :`;
}

/** Waits for a download that is under way: everything in it is needed sooner or later. */
export const prefetched: Script = sh`while [ "$(systemctl is-active ${unit} 2>/dev/null)" = active ]; do sleep 0.2; done`;
