import { lines, sh, type Script } from '../transport/shell.ts';

/** Bytes and entries up to which a folder is copied whole; of a larger one only what lies directly in it. */
const small = { bytes: 16 * 1024 * 1024, entries: 2000 };

/** Programs keep logs, sockets and temporary files there, also those that only check a configuration. */
const variable = ['/run', '/tmp', '/var'];

/** A file system that does not answer must not hold up what has nothing to do with it. */
const remote = 'noautofs,nfs,nfs4,cifs';

/** `hw_below DIRECTORY`: the mount points in it, those above before those below. */
const below = sh`hw_below() {
  HW_AT=$(printf '%s/' "$1" | sed 's/\\/\\134/g; s/ /\\040/g') \
    awk 'index($5, ENVIRON["HW_AT"]) == 1 { print $5 }' /proc/self/mountinfo |
    sort -u | sed 's/\\\([0-7]\)/\\0\1/g' | while IFS= read -r at; do printf '%b\n' "$at"; done
}`;

/** `hw_freeze DIRECTORY`: it cannot be written any more, nor what is mounted in it. What lies in a copy is private. */
const freeze = sh`hw_freeze() {
  if [ ! -w "$1" ] || [ "$(stat -c %d -- "$1")" = "$HW_DEVICE" ]; then return; fi
  mount --rbind "$1" "$1"
  { printf '%s\n' "$1"; hw_below "$1"; } | while IFS= read -r at; do mount -o remount,bind,ro "$at"; done
}`;

/**
 * `hw_stage DIRECTORY`: a private copy takes its place, unless it lies in one. What is not a file, a link or a folder
 * is shown as it is, and so is what is mounted in it or is too large; `$replaced` is to go, so nothing of it is.
 */
const stage = sh`hw_show() {
  mount --rbind "$1" "$2"
  printf '%s\n' "$1" "$2" >>"$HW/shown"
}
hw_is_small() {
  find "$1" -xdev -printf '%y %s\n' |
    awk '/^[bcps]/ || ++n > ${small.entries} || (bytes += $2) > ${small.bytes} { large = 1; exit } END { exit large }'
}
hw_copy_first_level() {
  chown --reference="$1" "$2"
  chmod --reference="$1" "$2"
  find "$1" -mindepth 1 -maxdepth 1 '(' -type l -o -type f -size -2048k ')' -exec cp -a -t "$2" {} +
  find "$1" -mindepth 1 -maxdepth 1 ! '(' -type l -o -type f -size -2048k ')' -printf '%y %p\n' >"$HW_STAGE/beside"
  while IFS= read -r entry; do
    beside=\${entry#??}
    copy_of=$2/\${beside##*/}
    case $entry in
      d*) mkdir "$copy_of" ;;
      f*) if grep -qxF -e "\${beside##*/}" "$HW/names"; then cp -aT "$beside" "$copy_of"; continue; fi
        : >"$copy_of" ;;
      *) : >"$copy_of" ;;
    esac
    if [ "$beside" != "$replaced" ] && ! grep -qxF -e "goes $beside" "$HW/paths"; then hw_show "$beside" "$copy_of"; fi
  done <"$HW_STAGE/beside"
}
hw_stage() {
  if [ "$(stat -c %d -- "$1")" = "$HW_DEVICE" ]; then return; fi
  copy=$(mktemp -d "$HW_STAGE/XXXXXX")
  if hw_is_small "$1"; then
    cp -axT "$1" "$copy"
    hw_below "$1" | while IFS= read -r at; do
      if [ -e "$copy\${at#"$1"}" ]; then hw_show "$at" "$copy\${at#"$1"}"; fi
    done
  else hw_copy_first_level "$1" "$copy"; fi
  hw_show "$copy" "$1"
  printf '%s\n' "$1" >>"$HW/staged"
}`;

/**
 * `hw_locate PATH`: where it really is once every link on the way is followed, in `$place`; the nearest folder that
 * is there, in `$folder`; `$missing` is the uppermost that is not there.
 */
const locate = sh`hw_locate() {
  folder=$(realpath -m -- "\${1%/*}/.")
  place=\${folder%/}/\${1##*/}
  missing=$place
  until [ -d "$folder" ]; do
    missing=$folder
    folder=\${folder%/*}/
    if [ "$folder" != / ]; then folder=\${folder%/}; fi
  done
}`;

/**
 * Makes the changes, in the copies: each is made where its path leads at that moment, which a change before it may
 * have altered, and that place is noted. Everything else is read-only meanwhile, so that what goes astray fails.
 */
const write = (writeOne: Script): Script =>
  lines([
    below,
    stage,
    locate,
    writeOne,
    sh`for at in ${variable}; do
  if [ -d "$at" ]; then mount --rbind "$at" "$at"; fi
done
mount -a -o remount,bind,ro -t ${remote} 2>/dev/null || :
{ printf '%s\n' ${variable} "$HW_STAGE"; cat "$HW/staged"; } | while IFS= read -r at; do
  if [ -d "$at" ]; then mount -o remount,bind,rw "$at"; fi
done
if [ -w /usr ]; then echo 'the file systems cannot be made read-only' >&2; exit 1; fi
: >"$HW/places"
i=0
while IFS= read -r line; do
  hw_locate "\${line#* }"
  replaced=
  if [ "\${line%% *}" != one ]; then replaced=$place; fi
  if [ -z "$replaced" ] && [ -d "$place" ] && [ ! -L "$place" ]; then hw_stage "$place"
  else hw_stage "$folder"; fi
  if [ "$missing" != "$place" ]; then printf 'one %s\n' "$missing" >>"$HW/places"; fi
  case $line in
    goes*) printf 'whole %s\n' "$place" >>"$HW/places"; continue ;;
  esac
  printf '%s %s\n' "\${line%% *}" "$place" >>"$HW/places"
  hw_write "$i"
  i=$((i + 1))
done <"$HW/paths"`,
  ]);

/** All is written in a namespace of its own and shown again here, where the check may write what programs write. */
const check = lines([
  below,
  freeze,
  stage,
  sh`: >"$HW/shown"
: >"$HW/staged"
replaced=
hw_freeze /etc
while IFS= read -r tree; do
  if cd -P -- "$tree" 2>/dev/null && [ "$PWD" != / ]; then
    tree=$PWD
    cd /
    hw_freeze "$tree"
    if hw_is_small "$tree"; then hw_stage "$tree"; fi
  fi
done <"$HW/trees"
cp "$HW/shown" "$HW/shown.here"
unshare -m --propagation unchanged sh -eu "$HW/write.sh"
tail -n "+$(($(wc -l <"$HW/shown.here") + 1))" "$HW/shown" >"$HW/shown.there"
while IFS= read -r from && IFS= read -r to; do mount --rbind "$from" "$to"; done <"$HW/shown.there"
rm "$HW/copying"
sh -eu "$HW/validate.sh"`,
]);

/** Nothing can take the place of the root directory: where something new lies in it, a copy becomes the root. */
const setUp = lines([
  stage,
  sh`HW_STAGE=$HW/stage
mkdir "$HW_STAGE"
mount -t tmpfs -o mode=0755,size=256m hostwright "$HW_STAGE"
HW_DEVICE=$(stat -c %d "$HW_STAGE")
export HW_STAGE HW_DEVICE
cut -d ' ' -f 2- "$HW/paths" >"$HW/written"
sed 's|.*/||' "$HW/written" >"$HW/names"
root=
while IFS= read -r path; do
  first=\${path#/}
  if [ "$path" = "/$first" ] && [ ! -e "/\${first%%/*}" ] || [ "$first" = "\${first##*/}" ]; then root=$HW_STAGE/root; fi
done <"$HW/written"
if [ -n "$root" ]; then
  mkdir "$root"
  replaced=
  hw_copy_first_level / "$root"
  exec chroot "$root" sh -eu "$HW/check.sh"
fi
exec sh -eu "$HW/check.sh"`,
]);

/** What runs in the namespaces, each with `set -eu`; apart, for shellcheck. */
export function rehearsalScripts(writeOne: Script): Readonly<Record<'setUp' | 'check' | 'write', Script>> {
  return { setUp, check, write: write(writeOne) };
}

/**
 * Makes changes where nobody else sees them and runs `validate.sh` there: in copies that a mount namespace, which
 * ends with its process, shows in the place of the folders that are written. It finds in `$HW` the lines of `paths`
 * (`one PATH`, `whole PATH` where a directory at PATH goes, or `goes PATH` for what the change of the next line
 * removes) and of `trees`; the function `hw_write N` makes the change N of those lines that do not begin with `goes`.
 * In `$HW/places` it leaves these lines with the places that the paths lead to.
 */
export function rehearse(writeOne: Script): Script {
  const scripts = rehearsalScripts(writeOne);
  return sh`cat >"$HW/rehearse.sh" <<'END'
${scripts.setUp}
END
cat >"$HW/check.sh" <<'END'
${scripts.check}
END
cat >"$HW/write.sh" <<'END'
${scripts.write}
END
: >"$HW/copying"
if ! (unshare -m sh -eu "$HW/rehearse.sh") >"$HW/rehearsal" 2>&1; then
  if [ -e "$HW/copying" ]; then echo 'the new configuration cannot be tried, no changes made:' >&2
  else echo 'the new configuration is not valid, no changes made:' >&2; fi
  tail -n 20 "$HW/rehearsal" >&2
  exit 1
fi`;
}
