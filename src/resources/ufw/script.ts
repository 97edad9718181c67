import { lines, sh, type Script } from '../../transport/shell.ts';
import type { Guard } from '../capabilities/access.ts';
import { replaceFunctions } from '../shell/replace.ts';

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

/**
 * Leaves in `$HW/known` what the files of ufw stand for, both families. To load them takes ufw a hundred processes, so
 * it is kept for as long as nothing that ufw reads or runs there changes, until the next boot at most: all
 * contents go into the name. Hooks of the host may do anything, and are asked each time.
 */
const know = sh`hw_inputs() {
  set -- /usr/sbin/iptables-restore /usr/sbin/ip6tables-restore
  for file in /etc/default/ufw /etc/ufw/* /lib/ufw/*; do
    if [ -f "$file" ]; then set -- "$@" "$file"; fi
  done
  sha256sum -- "$@"
}
hw_know() {
  key=$({ printf '%s\n' ${loadApart.text}; hw_inputs; } | sha256sum)
  known=/run/hostwright/ufw.\${key%% *}
  hooks=no
  if [ -x /etc/ufw/before.init ] || [ -x /etc/ufw/after.init ]; then hooks=yes; fi
  if [ "$hooks" = no ] && [ -f "$known" ]; then cp "$known" "$HW/known"; return; fi
  unshare -n sh -euc ${loadApart.text}
  cat "$HW/expected.4" "$HW/expected.6" >"$HW/known"
  if [ "$hooks" = yes ]; then return; fi
  rm -f /run/hostwright/ufw.*
  t=$(mktemp /run/hostwright/.ufw.XXXXXX)
  cp "$HW/known" "$t"
  mv -f "$t" "$known"
}`;

const settings = String.raw`FILENAME == "/etc/ufw/ufw.conf" && /^(ENABLED|LOGLEVEL)=/ { print "s", $0 }
FILENAME == "/etc/default/ufw" && /^(IPV6|DEFAULT_INPUT_POLICY|DEFAULT_OUTPUT_POLICY|DEFAULT_FORWARD_POLICY)=/ { print "s", $0 }
sub(/^### tuple ###/, FILENAME == "/etc/ufw/user6.rules" ? "6" : "4") { print }`;

/**
 * Prints `missing`, or lines behind the letter of their kind: s for settings, 4 and 6 for rules, u for the
 * unit, k for what the kernel has too little (-) or too much (+) of.
 */
export const probeUfw: Script = lines([
  save,
  know,
  sh`if [ ! -x /usr/sbin/ufw ] || [ ! -f /etc/ufw/ufw.conf ]; then echo missing; exit 0; fi
awk ${settings} /etc/ufw/ufw.conf /etc/default/ufw /etc/ufw/user.rules /etc/ufw/user6.rules
printf 'u %s\n' "$(systemctl is-enabled ufw.service 2>/dev/null || :)"
if ! grep -qix 'ENABLED=yes' /etc/ufw/ufw.conf; then exit 0; fi
hw_save actual
hw_know
cat "$HW/actual.4" "$HW/actual.6" | diff "$HW/known" - >"$HW/differs" || [ $? -eq 1 ]
if [ -s "$HW/differs" ]; then sed -n 's/^< /k - /p; s/^> /k + /p' "$HW/differs"; fi`,
]);

/** Settings of ufw as its files have them: `DROP`, `yes`. */
export interface UfwSettings {
  readonly defaults: Readonly<Record<string, string>>;
  readonly logging: string;
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
function prepare({ defaults, logging }: UfwSettings, bytes4: number): Script {
  const settings = Object.entries(defaults).map(([name, value]) => sh`hw_set "$HW/default" ${name} ${value}`);
  return lines([
    set,
    sh`cp -aT /etc/ufw "$HW/etc"
cp -p /etc/default/ufw "$HW/default"
head -c ${bytes4} >"$HW/rules"
hw_rules() { printf '*filter\n### RULES ###\n\n'; cat; printf '\n### END RULES ###\nCOMMIT\n'; }
hw_rules <"$HW/rules" >"$HW/etc/user.rules"
hw_rules >"$HW/etc/user6.rules"
hw_set "$HW/etc/ufw.conf" ENABLED no
hw_set "$HW/etc/ufw.conf" LOGLEVEL ${logging}`,
    ...settings,
    sh`unshare -mn sh -euc ${
      lines([
        sh`mount --bind "$HW/etc" /etc/ufw
mount --bind "$HW/default" /etc/default/ufw
ufw logging ${logging} >&2
sed -i 's/^ENABLED=.*/ENABLED=yes/' /etc/ufw/ufw.conf`,
        loadApart,
      ]).text
    }`,
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

const written = ['/etc/ufw/user.rules', '/etc/ufw/user6.rules', '/etc/default/ufw', '/etc/ufw/ufw.conf'];

/** The files take effect at the next boot; the one that enables it all comes last. */
const goLive = lines([
  save,
  load,
  replaceFunctions,
  sh`hw_take_over() {
  if cmp -s "$1" "$2"; then return; fi
  mode=$(stat -c %a "$1")
  owner=$(stat -c %u:%g "$1")
  hw_replace "$mode" "$2" "$owner" <"$1"
}
hw_take_over "$HW/etc/user.rules" /etc/ufw/user.rules
hw_take_over "$HW/etc/user6.rules" /etc/ufw/user6.rules
hw_take_over "$HW/default" /etc/default/ufw
hw_load expected
hw_take_over "$HW/etc/ufw.conf" /etc/ufw/ufw.conf
systemctl enable --quiet ufw.service`,
]);

/** What makes the new firewall ready, and what then takes effect. */
export function changeUfw(settings: UfwSettings, bytes4: number): Record<'script' | 'live', Script> {
  return { script: lines([save, prepare(settings, bytes4)]), live: goLive };
}

/** The kernel's own tables are kept: what it had may be another thing than what the files would give. */
export const guardUfw: Guard = {
  unit: 'ufw.service',
  paths: written,
  keep: lines([save, sh`hw_save kept`]),
  restore: lines([save, load, sh`hw_load kept`]),
};
