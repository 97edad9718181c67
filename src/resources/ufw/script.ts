import { lines, sh, type Script } from '../../transport/shell.ts';
import type { Guard } from '../capabilities/access.ts';
import { listAt } from '../service/listing.ts';
import { replaceFunctions } from '../shell/replace.ts';
import { partsOfUnit } from './unit-state.ts';

/**
 * Of the kernel's filter tables what ufw has put there: policies, its chains, the ways into them. Beside it
 * every verdict in INPUT and OUTPUT, which opens or shuts a port behind ufw's back. Chains of others are theirs,
 * and FORWARD is shared with containers.
 */
const save = sh`hw_save() {
  for family in 4 6; do
    case $family in 4) iptables-save -t filter ;; *) ip6tables-save -t filter ;; esac >"$HW/table"
    awk 'BEGIN { policy[":INPUT"] = policy[":OUTPUT"] = policy[":FORWARD"] = "ACCEPT" }
$1 in policy { policy[$1] = $2 }
/^:ufw/ { print $1, "-" }
/^-A ufw/ || /^-A (INPUT|OUTPUT|FORWARD) -j ufw/ || /^-A (INPUT|OUTPUT) .*-j (ACCEPT|DROP|REJECT)( |$)/ { print }
END { for (chain in policy) print chain, policy[chain] }' "$HW/table" |
      LC_ALL=C sort -s -k 1,2 >"$HW/$1.$family"
  done
}`;

/** What the files of ufw stand for: ufw's own program loads them in a network namespace of its own. */
const loadApart = lines([save, sh`/lib/ufw/ufw-init start >&2`, sh`hw_save expected`]);

/** Rules of the package around those of ufw, which people edit, and scripts that it runs where they are executable. */
export const shippedRules = ['before.rules', 'before6.rules', 'after.rules', 'after6.rules'] as const;
export const hooks = ['before.init', 'after.init'] as const;

/**
 * In a copy of /etc/ufw: `hw_ship COPY KEPT` makes the rules and hooks those of the package, but for KEPT, and
 * `hw_rules FILE <TUPLES` makes a file of rules that ufw completes.
 */
const copyFunctions = sh`hw_ship() {
  for file in ${shippedRules}; do
    case " $2 " in *" $file "*) continue ;; esac
    if [ ! -f "/usr/share/ufw/iptables/$file" ]; then continue; fi
    rm -f "$1/$file"
    install -m 0640 "/usr/share/ufw/iptables/$file" "$1/$file"
  done
  for file in ${hooks}; do
    case " $2 " in *" $file "*) continue ;; esac
    if [ -f "$1/$file" ]; then chmod a-x "$1/$file"; fi
  done
}
hw_rules() {
  rm -f "$1"
  { printf '*filter\n### RULES ###\n\n'; cat; printf '\n### END RULES ###\nCOMMIT\n'; } >"$1"
  chmod 0640 "$1"
}`;

/** Behind mounts of its own: ufw completes the rules of the copy `$HW/etc`, which are then loaded where nobody else is. */
function loadCopy(logging: Script): Script {
  return lines([
    sh`mount --bind "$HW/etc" /etc/ufw
if [ -f "$HW/default" ]; then mount --bind "$HW/default" /etc/default/ufw; fi
sed -i 's/^ENABLED=.*/ENABLED=no/' /etc/ufw/ufw.conf
ufw logging ${logging} >&2
sed -i 's/^ENABLED=.*/ENABLED=yes/' /etc/ufw/ufw.conf`,
    loadApart,
  ]);
}

const ownLevel = sh`"$(sed -n 's/^LOGLEVEL=//p' /etc/ufw/ufw.conf | tail -n 1)"`;

/** Prints which lines of the files of ufw are neither of its package nor of the rules that it lists. */
const strayFunction = sh`hw_stray() {
  for file in ${[...shippedRules, 'user.rules', 'user6.rules']}; do
    case " $1 " in *" $file "*) continue ;; esac
    if [ "$file" = user6.rules ] && ! grep -qix 'IPV6="\{0,1\}yes"\{0,1\}' /etc/default/ufw; then continue; fi
    diff -BN "/etc/ufw/$file" "$HW/etc/$file" | sed -n "s/^< \([^#]\)/f $file + \1/p; s/^> \([^#]\)/f $file - \1/p"
  done
  for file in ${hooks}; do
    if [ -x "/etc/ufw/$file" ] && [ ! -x "$HW/etc/$file" ]; then printf 'f %s + runs\n' "$file"; fi
  done
}`;

/**
 * Leaves in `$HW/known` what the rules of ufw and its package stand for, both families, and in `$HW/stray` what else
 * its files have. To find that out takes ufw a hundred processes, so it is kept for as long as nothing that ufw reads
 * or runs there changes, until the next boot at most: all contents go into the name. Hooks that may stay may do
 * anything, and are asked each time. b2sum starts in half the time of sha256sum, which loads OpenSSL.
 */
const know = sh`hw_inputs() {
  set -- /usr/sbin/iptables-restore /usr/sbin/ip6tables-restore
  for file in /etc/default/ufw /etc/ufw/* /usr/share/ufw/iptables/* /lib/ufw/*; do
    if [ -f "$file" ]; then set -- "$@" "$file"; fi
  done
  b2sum -- "$@"
  for file in ${hooks}; do if [ -x "/etc/ufw/$file" ]; then echo "$file"; fi; done
}
hw_know() {
  key=$({ printf '%s\n' ${loadCopy(ownLevel).text} "$1"; hw_inputs; } | b2sum -l 256)
  known=/run/hostwright/ufw.\${key%% *}
  if [ -f "$known" ]; then
    : >"$HW/stray"
    awk -v stray="$HW/stray" '/^f / { print >stray; next } { print }' "$known" >"$HW/known"
    return
  fi
  cp -aT /etc/ufw "$HW/etc"
  hw_ship "$HW/etc" "$1"
  for file in user.rules user6.rules; do
    sed -n '/^### tuple ###/{s/$/\n/;p;}' "/etc/ufw/$file" | hw_rules "$HW/etc/$file"
  done
  unshare -mn sh -euc ${loadCopy(ownLevel).text}
  cat "$HW/expected.4" "$HW/expected.6" >"$HW/known"
  hw_stray "$1" >"$HW/stray"
  for file in ${hooks}; do if [ -x "$HW/etc/$file" ]; then return; fi; done
  rm -f /run/hostwright/ufw.*
  t=$(mktemp /run/hostwright/.ufw.XXXXXX)
  cat "$HW/known" "$HW/stray" >"$t"
  mv -f "$t" "$known"
}`;

const settings = String.raw`FILENAME == "/etc/ufw/ufw.conf" && /^(ENABLED|LOGLEVEL)=/ { print "s", $0 }
FILENAME == "/etc/default/ufw" && /^(IPV6|DEFAULT_INPUT_POLICY|DEFAULT_OUTPUT_POLICY|DEFAULT_FORWARD_POLICY)=/ { print "s", $0 }
sub(/^### tuple ###/, FILENAME == "/etc/ufw/user6.rules" ? "6" : "4") { print }`;

/**
 * Prints `missing`, or lines behind the letter of their kind: s for settings, 4 and 6 for rules, f for what files have
 * besides, k for what the kernel has too little (-) or too much (+) of; and a line that `listAt` prints of the unit. `kept` are files
 * below /etc/ufw that may be as they are.
 */
export function probeUfw(kept: readonly string[]): Script {
  return lines([
    save,
    copyFunctions,
    strayFunction,
    know,
    sh`if [ ! -x /usr/sbin/ufw ] || [ ! -f /etc/ufw/ufw.conf ]; then echo missing; exit 0; fi
awk ${settings} /etc/ufw/ufw.conf /etc/default/ufw /etc/ufw/user.rules /etc/ufw/user6.rules
${listAt(partsOfUnit)}
hw_know ${kept.join(' ')}
if [ -s "$HW/stray" ]; then cat "$HW/stray"; fi
if ! grep -qix 'ENABLED=yes' /etc/ufw/ufw.conf; then exit 0; fi
hw_save actual
cat "$HW/actual.4" "$HW/actual.6" | diff "$HW/known" - >"$HW/differs" || [ $? -eq 1 ]
if [ -s "$HW/differs" ]; then sed -n 's/^< /k - /p; s/^> /k + /p' "$HW/differs"; fi`,
  ]);
}

/** Settings of ufw as its files have them: `DROP`, `yes`. */
export interface UfwSettings {
  readonly defaults: Readonly<Record<string, string>>;
  readonly logging: string;
  /** Files below /etc/ufw that stay as they are. */
  readonly kept: readonly string[];
}

/** Sets NAME=VALUE in a file, where it stands or at its end. */
const set = sh`hw_set() {
  if grep -q "^$2=" "$1"; then sed -i "s/^$2=.*/$2=$3/" "$1"; else printf '%s=%s\n' "$2" "$3" >>"$1"; fi
}`;

/**
 * Makes the new configuration in a copy and has ufw itself complete and load it where nobody else is: in
 * mount and network namespaces of their own. Leaves `$HW/etc`, `$HW/default` and `$HW/expected.[46]`, or
 * fails with nothing changed. Standard input: the rules of IPv4, of which there are `bytes4`, then of IPv6.
 */
function prepare({ defaults, logging, kept }: UfwSettings, bytes4: number): Script {
  const settings = Object.entries(defaults).map(([name, value]) => sh`hw_set "$HW/default" ${name} ${value}`);
  return lines([
    set,
    copyFunctions,
    sh`cp -aT /etc/ufw "$HW/etc"
cp -p /etc/default/ufw "$HW/default"
hw_ship "$HW/etc" ${kept.join(' ')}
head -c ${bytes4} >"$HW/rules"
hw_rules "$HW/etc/user.rules" <"$HW/rules"
hw_rules "$HW/etc/user6.rules"
hw_set "$HW/etc/ufw.conf" ENABLED no
hw_set "$HW/etc/ufw.conf" LOGLEVEL ${logging}`,
    ...settings,
    sh`unshare -mn sh -euc ${loadCopy(sh`${logging}`).text}`,
  ]);
}

/**
 * Brings the tables to what was saved under a name. The kernel takes each family as one transaction, so that
 * there is no moment in which a port is open or shut that should not be. Ways into ufw's chains go behind
 * those of others, such as fail2ban.
 */
const load = sh`hw_table() {
  echo '*filter'
  sed -n 's/^:.*/& [0:0]/p' "$HW/$1"
  sed 's/.*/:& - [0:0]/' "$HW/surplus"
  sed -n '/^-A \(INPUT\|OUTPUT\) .*-j \(ACCEPT\|DROP\|REJECT\)\( \|$\)/s/^-A/-D/p; /^-A \(INPUT\|OUTPUT\|FORWARD\) -j ufw/s/^-A/-D/p' "$HW/$2"
  grep '^-A' "$HW/$1" || :
  sed 's/^/-X /' "$HW/surplus"
  echo COMMIT
}
hw_load() {
  hw_save actual
  for family in 4 6; do
    sed -n 's/^:\(ufw[^ ]*\) .*/\1/p' "$HW/actual.$family" >"$HW/chains"
    sed -n 's/^:\(ufw[^ ]*\) .*/\1/p' "$HW/$1.$family" >"$HW/wanted"
    grep -vxF -f "$HW/wanted" "$HW/chains" >"$HW/surplus" || :
    hw_table "$1.$family" "actual.$family" >"$HW/load"
    case $family in 4) iptables-restore -n ;; *) ip6tables-restore -n ;; esac <"$HW/load"
  done
}`;

const written = [
  ...[...shippedRules, ...hooks, 'user.rules', 'user6.rules'].map((name) => `/etc/ufw/${name}`),
  '/etc/default/ufw',
  '/etc/ufw/ufw.conf',
];

/** The files take effect at the next boot; the one that enables it all comes last. `overriding` are files of the unit. */
function goLive(overriding: readonly string[]): Script {
  return lines([
    save,
    load,
    replaceFunctions,
    sh`hw_take_over() {
  if [ ! -L "$2" ] && cmp -s "$1" "$2"; then return; fi
  mode=$(stat -c %a "$1")
  owner=$(stat -c %u:%g "$1")
  hw_replace "$mode" "$2" "$owner" <"$1"
}
for file in ${[...shippedRules, 'user.rules', 'user6.rules']}; do
  if [ -f "$HW/etc/$file" ]; then hw_take_over "$HW/etc/$file" "/etc/ufw/$file"; fi
done
for file in ${hooks}; do
  if [ -x "/etc/ufw/$file" ] && [ ! -x "$HW/etc/$file" ]; then chmod a-x "/etc/ufw/$file"; fi
done
hw_take_over "$HW/default" /etc/default/ufw
hw_load expected
hw_take_over "$HW/etc/ufw.conf" /etc/ufw/ufw.conf
systemctl unmask --quiet ufw.service
systemctl unmask --quiet --runtime ufw.service
${
  overriding.length === 0
    ? sh``
    : sh`rm -f -- ${overriding}
systemctl daemon-reload`
}
systemctl enable --quiet ufw.service`,
  ]);
}

/** What makes the new firewall ready, and what then takes effect. */
export function changeUfw(
  settings: UfwSettings,
  bytes4: number,
  overriding: readonly string[],
): Record<'script' | 'live', Script> {
  return { script: lines([save, prepare(settings, bytes4)]), live: goLive(overriding) };
}

/** The kernel's own tables are kept: what it had may be another thing than what the files would give. */
export const guardUfw: Guard = {
  unit: 'ufw.service',
  paths: written,
  keep: lines([save, sh`hw_save kept`]),
  restore: lines([save, load, sh`hw_load kept`]),
};
