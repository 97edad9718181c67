import { lines, sh, type Script } from '../../transport/shell.ts';

const policy = '/usr/sbin/policy-rc.d';
const unfinished = '/usr/sbin/.hostwright.policy-rc.d';
const held = '/run/hostwright/held-services';
const mark = '# Hostwright: the services in the list are started by it alone, once they are configured.';

/**
 * Packages ask it before they start, restart or stop a service. It is a file of its own on the root file system,
 * because /run is often mounted noexec; it holds nothing without the list in /run, so that a reboot ends it.
 */
export const policyText = `#!/bin/sh
${mark}
[ -e ${held} ] || exit 0
while IFS= read -r service; do [ "$1" != "$service" ] || exit 101; done <${held}
exit 0
`;

/** Removes what a run that was killed while apt worked has left. It starts no process where there is nothing. */
export const endStartPolicy: Script = sh`if [ -f ${policy} ]; then
  { read -r hw_line && read -r hw_line; } <${policy} || hw_line=''
  [ "$hw_line" != ${mark} ] || rm -f ${policy} ${held}
fi
[ ! -e ${unfinished} ] || rm -f ${unfinished}`;

/**
 * Services that are declared are started by their own resource, once they are configured: a package must not
 * start them with its defaults. A policy that the host has of its own decides alone, as in an image of a container.
 */
export function withoutStarting(services: readonly string[], script: Script): Script {
  if (services.length === 0) return script;
  const names = services.flatMap((name) => [name, name.replace(/\.service$/, '')]);
  return lines([
    endStartPolicy,
    // After a loss of power it is there as a whole or not at all. Not by `hw_replace`: what a killed step leaves has a name.
    sh`if [ ! -e ${policy} ]; then
  trap ${`rm -f ${policy} ${unfinished} ${held}`} EXIT
  printf '%s\n' ${[...new Set(names)]} >${held}
  printf '%s' ${policyText} >${unfinished}
  chmod 0755 ${unfinished}
  sync ${unfinished}
  mv -fT ${unfinished} ${policy}
fi`,
    script,
  ]);
}
