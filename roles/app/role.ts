import { resolve } from 'node:path';
import {
  appRelease,
  defineRole,
  directory,
  file,
  gitRelease,
  group,
  HostwrightError,
  link,
  permissions,
  pkg,
  readRelease,
  service,
  unit,
  user,
  type ApplicationDeclaration,
  type DatabaseUserDeclaration,
  type Release,
} from 'hostwright';
import { unitWord } from '../systemd/text.ts';
import { rollback } from './actions.ts';
import { environment } from './environment.ts';
import { variables, type Variables } from './variables.ts';

const isGit = /^(?:\w+:\/\/|[\w.-]+@[\w.-]+:)/;

function release(vars: Variables, projectFolder: string, host: string): Release {
  const { app_release: kept, app_source: source, app_version: version } = vars;
  if (kept !== undefined) return { kind: 'kept', name: kept };
  if (!isGit.test(source)) return readRelease(resolve(projectFolder, source), { exclude: vars.app_exclude });
  if (version !== undefined) return gitRelease(source, version);
  throw new HostwrightError('E_VARIABLE', 'a git repository needs the variable app_version', {
    place: { host },
    found: `app_source is ${source}`,
    hint: 'set it to a full commit id or a tag',
  });
}

/** A host has no curl; bash is on every Debian and opens connections itself. */
const httpCheck = `exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET %s HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' "$2" >&3
IFS= read -r status <&3
echo "GET $2: \${status:-no answer}"
[[ $status == 'HTTP/1.'?' 200'* ]]`;

export default defineRole({
  name: 'app',
  variables,
  actions: { rollback },
  declares: ({ vars }) => [
    {
      kind: 'application',
      port: vars.app_port,
      unit: `${vars.app_name}.service`,
    } satisfies ApplicationDeclaration,
    ...(vars.app_database === undefined
      ? []
      : [
          {
            kind: 'database_user',
            name: vars.app_database_user ?? vars.app_database,
            database: vars.app_database,
            password: vars.app_database_password,
            from: vars.app_group,
          } satisfies DatabaseUserDeclaration,
        ]),
  ],
  resources: ({ vars, host, site, template, projectFolder }) => {
    const name = vars.app_name;
    const folder = `/srv/${name}`;
    const current = `${folder}/current`;
    const deployed = release(vars, projectFolder, host.name);
    const socket = `${name}.socket`;
    const content = String(
      template('app/app.service.hbs', {
        name,
        folder,
        command: vars.app_command.map(unitWord).join(' '),
        port: vars.app_port,
        socket: vars.app_socket_activation,
      }),
    );
    const asUser = ['setpriv', `--reuid=${name}`, `--regid=${name}`, '--clear-groups', '--no-new-privs'];
    return [
      ...vars.app_packages.map((needed) => pkg(needed)),
      ...(deployed.kind === 'git' ? [pkg('git'), pkg('ca-certificates')] : []),
      // Its members can read the environment.
      group(name, { system: true, exclusive: true, keep: vars.app_group_members }),
      user(name, { system: true, home: `/var/lib/${name}`, shell: '/usr/sbin/nologin' }),
      permissions(`/var/lib/${name}`, { owner: name, group: name, mode: '0750' }),
      directory(folder),
      directory(`${folder}/releases`),
      appRelease(folder, deployed, { keep: vars.app_keep_releases }),
      link(current, { to: `releases/${deployed.name}` }, { needs: [`app_release:${folder}`] }),
      file(`${folder}/environment`, {
        content: environment(vars, host.name, site),
        group: name,
        mode: '0640',
      }),
      // The socket and the service are verified together, as each names the other.
      unit(`${name}.service`, { content }, { needs: [`user:${name}`] }),
      ...(vars.app_socket_activation
        ? [
            unit(
              socket,
              { content: String(template('app/app.socket.hbs', { name, port: vars.app_port })) },
              { needs: [`user:${name}`] },
            ),
            service(socket),
          ]
        : [unit(socket, { absent: true })]),
      service(
        name,
        {
          restartOn: [current, `${current}/.hostwright-release`, `${folder}/environment`],
          // Also without a check of its own a release goes live as a whole, and comes back as a whole.
          validate:
            vars.app_check === undefined
              ? ['test', '-d', `${current}/.`]
              : [...asUser, 'env', '-C', current, ...vars.app_check],
          healthy: ['bash', '-c', httpCheck, 'healthy', String(vars.app_port), vars.app_health_path],
          healthyWithin: vars.app_health_timeout,
        },
        { needs: vars.app_socket_activation ? [`service:${socket}`] : [`unit:${socket}`] },
      ),
    ];
  },
});
