import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  appRelease,
  directory,
  file,
  link,
  pkg,
  readRelease,
  user,
  type PackedRelease,
  type Resource,
  type RoleContext,
  type Secret,
} from 'hostwright';
import { publicKey } from './key.ts';
import type { Variables } from './variables.ts';

const name = 'hostwright';
const home = `/home/${name}`;

/** A release with the link that makes it the current one. */
function deployed(folder: string, release: PackedRelease): readonly Resource[] {
  return [
    directory(folder),
    directory(`${folder}/releases`),
    appRelease(folder, release),
    link(`${folder}/current`, { to: `releases/${release.name}` }, { needs: [`app_release:${folder}`] }),
  ];
}

function ownFile(path: string, content: string | Secret): Resource {
  return file(`${home}/${path}`, { content, owner: name, group: name, mode: '0600' });
}

function ownDirectory(path: string): Resource {
  return directory(`${home}/${path}`, { owner: name, group: name, mode: '0700' });
}

/** The user whose jobs run Hostwright: the program, the project, and the keys to its hosts. */
export function runner({ vars, site, projectFolder }: RoleContext<Variables>): readonly Resource[] {
  const transfer = vars.slurm_transfer_key;
  const nodes = site.hosts('slurm');
  const ofProject = (path: string): string => resolve(projectFolder, path);
  return [
    pkg('nodejs'),
    pkg('openssh-client'),
    // Slurm gives a job to the number of its user, whoever that is on the node.
    user(name, { uid: vars.slurm_uid, home, shell: '/bin/sh' }),
    ...deployed('/srv/hostwright', readRelease(ofProject(vars.slurm_hostwright))),
    link('/usr/local/bin/hostwright', { to: '/srv/hostwright/current/bin/hostwright' }),
    ...deployed('/srv/project', readRelease(ofProject(vars.slurm_project), { exclude: ['.git'] })),
    ownDirectory('.ssh'),
    ownFile('.ssh/id_ed25519', vars.slurm_login_key),
    ownFile('.ssh/known_hosts', readFileSync(ofProject(vars.slurm_known_hosts), 'utf8')),
    // Results go from node to node, with a key that no other machine can use.
    ownFile('.ssh/transfer', transfer),
    ownFile(
      '.ssh/authorized_keys',
      `restrict,from="${nodes.map(({ address }) => address).join(',')}" ${publicKey(transfer.reveal())}\n`,
    ),
    ownFile(
      '.ssh/config',
      nodes
        .map(
          ({ name, address }) =>
            `Host ${name}\n  HostName ${address}\n  IdentityFile ~/.ssh/transfer\n  IdentityFile ~/.ssh/id_ed25519\n`,
        )
        .join(''),
    ),
    ...(vars.slurm_identity === undefined
      ? []
      : [
          ownDirectory('.config'),
          ownDirectory('.config/hostwright'),
          ownFile('.config/hostwright/identity.txt', vars.slurm_identity),
        ]),
  ];
}
