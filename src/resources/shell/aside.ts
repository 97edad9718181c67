import { lines, sh, type Script } from '../../transport/shell.ts';
import { placeFunctions } from './place.ts';
import { aclOf, plainFunction } from './plain.ts';

/**
 * `hw_aside`, after `enter`, which it needs: makes a folder of root's own in the current directory and goes there, to
 * make files that `hw_place ./NAME ../NAME` then shows. In the directory itself its owner could put a link in the place
 * of what root writes. The folder goes when the shell ends. Where the directory has the set-group-ID bit the folder
 * begins with that, and what is made in it would get another group; so would it the rights that an ACL gives to new files.
 */
export const asideFunctions: Script = lines([
  placeFunctions,
  plainFunction,
  sh`hw_aside() {
  hw_name=$(mktemp -d .hostwright.XXXXXX) || hw_stuck .
  hw_next=\${PWD%/}/$hw_name
  cd -P -- "./$hw_name"
  case "$PWD $(stat -c %u:%a .)" in
    "$hw_next 0:700") ;;
    "$hw_next 0:2700") chmod 00700 . ;;
    *) hw_refuse "$hw_next" ;;
  esac
  hw_plain 0:0 00700 ${aclOf('0700')}
  trap 'for hw_left in ./* ./.[!.]* ./..?*; do
    { [ ! -e "$hw_left" ] && [ ! -L "$hw_left" ]; } || rm -f "$hw_left"
  done; rmdir "$PWD" || :' EXIT
}`,
]);
