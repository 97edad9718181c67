import { sh, type Script } from '../../transport/shell.ts';
import { ownership } from '../attribute.ts';

/** An ACL that says no more than a mode of four digits. */
export function aclOf(mode: string): string {
  const [owner = '', group = '', others = ''] = mode
    .slice(-3)
    .split('')
    .map((digit) => {
      const bits = Number(digit);
      return `${(bits & 4) === 0 ? '-' : 'r'}${(bits & 2) === 0 ? '-' : 'w'}${(bits & 1) === 0 ? '-' : 'x'}`;
    });
  return `user::${owner}\ngroup::${group}\nother::${others}`;
}

/**
 * `hw_plain OWNER:GROUP MODE ACL`: the current directory loses its ACLs, that for new files too. setfacl is not on every
 * host; tar gives a directory what stands in an archive, and there an empty one has a plain ACL. A file needs none of
 * this: it is made anew. Needs `removal`.
 */
export const plainFunction: Script = sh`hw_plain() {
  case $(ls -ld .) in ??????????+*) ;; *) return 0 ;; esac
  hw_plain=$(mktemp -d "$HW/plain.XXXXXX")
  chown "$1" "$hw_plain"
  chmod "$2" "$hw_plain"
  tar -C "$hw_plain" --acls --format=posix --pax-option="SCHILY.acl.access:=$3" --no-recursion -cf "$hw_plain.tar" .
  tar --acls --numeric-owner -xpf "$hw_plain.tar" || hw_stuck .
}`;

/** The current directory gets owner, group and mode, and nobody has rights beyond these. Needs `plainFunction`. */
export function makePlain(desired: {
  readonly owner: string;
  readonly group: string;
  readonly mode: string;
}): Script {
  // Only five digits take a set-user-ID or set-group-ID bit off a directory.
  const [owner, mode] = [ownership(desired), `0${desired.mode}`];
  return sh`hw_plain ${owner} ${mode} ${aclOf(desired.mode)}
chown ${owner} . || hw_stuck .
chmod ${mode} .`;
}
