import {
  directory,
  file,
  pageFile,
  pkg,
  service,
  unit,
  user,
  z,
  type DashboardPageDeclaration,
  type MetricsDeclaration,
  type Resource,
  type RoleContext,
} from 'hostwright';
import { sandbox } from '../monitoring/service.ts';

/** What roles with a page can be told of the front, which is the same for all of a host. */
export const frontVariables = {
  dashboard_port: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .default(8090)
    .describe('on 127.0.0.1: the dashboard, and what it reads'),
};

const name = 'hostwright-dashboard';
const configuration = `/etc/${name}/nginx.conf`;
const state = `/var/lib/${name}`;
/** Where its files are served from. */
export const pagesFolder = `/usr/local/share/${name}`;

const answers = `exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET / HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3
IFS= read -r status <&3
case $status in *' 200 '*) ;; *) echo "GET /: \${status:-no answer}" >&2; exit 1 ;; esac`;

type Context = Pick<RoleContext<{ readonly dashboard_port: number }>, 'vars' | 'host' | 'site' | 'template'>;

/** A page, as the front of its host serves it: with the address of every other one. */
function pageFiles({ host, site, template }: Context): readonly Resource[] {
  const pages = pagesOf({ host, site });
  return pages.flatMap((page) => [
    file(`${pagesFolder}/${page.name === 'dashboard' ? 'index' : page.name}.html`, {
      content: template('dashboard/page.html.hbs', {
        name: page.name,
        title: page.title,
        pages: pages.map((other) => ({
          title: other.title,
          address: other.name === 'dashboard' ? './' : `${other.name}.html`,
          isHere: other === page,
        })),
      }),
    }),
    file(`${pagesFolder}/${page.name}.js`, { content: pageFile(`${page.name}.js`) }),
  ]);
}

/** The pages of a host, the dashboard first. */
function pagesOf({ host, site }: Pick<Context, 'host' | 'site'>) {
  const declared = site
    .declared<DashboardPageDeclaration>('dashboard_page')
    .filter((page) => page.host.name === host.name);
  return declared.toSorted((a, b) => Number(b.name === 'dashboard') - Number(a.name === 'dashboard'));
}

/** nginx of the package would listen on port 80: it is for a web server to be, where a role makes it one. */
function idleNginx({ host, site }: Context): readonly Resource[] {
  const isUsed = site
    .declared<MetricsDeclaration>('metrics')
    .some((metrics) => metrics.of === 'nginx' && metrics.host.name === host.name);
  return isUsed ? [] : [service('nginx', { running: false, enabled: false })];
}

/**
 * An nginx of its own on 127.0.0.1, beside whatever web server the host has: it serves the pages that the roles of the
 * host declare, and passes on what these read, by GET alone. Every role with a page declares the same.
 */
export function front(context: Context): readonly Resource[] {
  const { vars, template } = context;
  const content = template('dashboard/nginx.conf.hbs', {
    port: vars.dashboard_port,
    state,
    folder: pagesFolder,
    passes: pagesOf(context)
      .flatMap((page) => page.passes)
      .map((pass) => ({ isPrefix: false, isStream: false, ...pass })),
  });
  const owned = { owner: name, group: name };
  return [
    pkg('nginx-light'),
    ...idleNginx(context),
    user(name, { system: true, home: state, comment: 'Dashboard', shell: '/usr/sbin/nologin' }),
    directory(state, { ...owned, mode: '0700' }),
    directory(`/etc/${name}`, { exclusive: true }),
    directory(pagesFolder, { exclusive: true }),
    file(`${pagesFolder}/pages.css`, { content: pageFile('pages.css') }),
    file(`${pagesFolder}/icon.svg`, { content: pageFile('icon.svg') }),
    ...pageFiles(context),
    file(configuration, { content }),
    unit(`${name}.service`, {
      content: String(
        template('dashboard/dashboard.service.hbs', {
          configuration,
          sandbox: sandbox(template, {
            families: ['AF_INET', 'AF_UNIX'],
            writes: [state],
            settings: [`User=${name}`, `Group=${name}`],
          }),
        }),
      ),
    }),
    service(
      name,
      {
        // A restart takes a moment, and says whether it works, which the reload of nginx does not.
        restartOn: [`/etc/${name}`],
        validate: [
          ...['setpriv', `--reuid=${name}`, `--regid=${name}`, '--clear-groups'],
          ...['nginx', '-t', '-q', '-c', configuration],
        ],
        healthy: ['bash', '-c', answers, 'healthy', String(vars.dashboard_port)],
      },
      { needs: ['package:nginx-light', `user:${name}`, `directory:${state}`] },
    ),
  ];
}
