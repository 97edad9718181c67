import {
  authorizedKey,
  authorizedKeys,
  file,
  HostwrightError,
  user,
  type Resource,
  type ResourceId,
  type RoleContext,
} from 'hostwright';
import { basePackage } from './packages.ts';
import type { Variables } from './variables.ts';

/** The user that Hostwright logs in as may owe its sudo to this very file: it must not lose it here. */
const checkSudoers = `visudo -cf "$2"
if grep -q "^$1 " /etc/sudoers.d/zz-hostwright 2>/dev/null && ! grep -q "^$1 " "$2"; then
  echo "this would take sudo from $1, the user that Hostwright logs in as; keep it in base_admins" >&2
  exit 1
fi`;

/** None where the attributes are wrong, which is said elsewhere. */
function idOf({ type, attributes }: Resource): readonly ResourceId[] {
  const { data } = type.schema.safeParse(attributes);
  return data === undefined ? [] : [`${type.name}:${type.key(data)}`];
}

/** The keys of a user, and no others once these are there. */
function keysOf(name: string, keys: readonly string[], areAll: boolean): readonly Resource[] {
  const declared = keys.map((key) => authorizedKey(name, key));
  return areAll ? [...declared, authorizedKeys(name, { needs: declared.flatMap(idOf) })] : declared;
}

/**
 * Users with keys and sudo. Other users stay: the user that Hostwright logs in as keeps what it has.
 */
export function admins({ vars, host, facts, template }: RoleContext<Variables>): readonly Resource[] {
  const { base_admins: wanted, base_former_admins: former } = vars;
  const both = former.find((name) => wanted.some((admin) => admin.name === name));
  if (both !== undefined) {
    throw new HostwrightError('E_VARIABLE', `${both} is in base_admins and in base_former_admins`, {
      place: { host: host.name },
      hint: 'take the name out of one of them',
    });
  }
  const connected = facts.connection?.user;
  if (connected !== undefined && former.includes(connected)) {
    throw new HostwrightError('E_VARIABLE', `base_former_admins names the user that Hostwright logs in as`, {
      place: { host: host.name },
      found: connected,
      hint: 'log in as another user first (ansible_user)',
    });
  }
  // Where Hostwright logs in as root with a key that nobody has declared, that must stay.
  const areRootsDeclared = vars.base_root_keys.length > 0 || connected !== 'root';
  const sudoers = wanted.filter((admin) => admin.sudo).map((admin) => admin.name);
  return [
    basePackage('sudo'),
    // Another account with its number is root, too.
    user('root', { uid: 0, sharesUid: vars.base_root_accounts }),
    ...wanted.flatMap(({ name, keys, comment, shell }) => [
      user(name, {
        ...(comment === undefined ? {} : { comment }),
        ...(shell === undefined ? {} : { shell }),
        locked: false,
      }),
      ...keysOf(name, keys, !vars.base_other_keys.includes(name)),
    ]),
    ...keysOf('root', vars.base_root_keys, areRootsDeclared && !vars.base_other_keys.includes('root')),
    ...former.map((name) => user(name, { absent: true })),
    // Without a dot: sudo passes over files that have one. Behind others: the last match counts.
    file('/etc/sudoers.d/zz-hostwright', {
      content: template('base/sudoers.hbs', { sudoers }),
      mode: '0440',
      validate: ['sh', '-euc', checkSudoers, 'sh', connected ?? 'root'],
    }),
  ];
}
