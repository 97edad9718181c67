import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bareHosts, type Finished, type TestHosts } from './hosts.ts';

/** An application without a database, which says what it was asked and which ports it may take, and takes its time. */
export const application = `
import http.server, os, socket, time, urllib.parse

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        text = self.headers.get('Host', '')
        if url.path == '/bind':
            try:
                with socket.create_server(('127.0.0.1', int(url.query))):
                    text = 'taken'
            except OSError as error:
                text = error.strerror
        if url.path == '/wait':
            time.sleep(int(url.query))
        body = text.encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()
`;

export const domain = 'www.foobar.com';

/** Balancer, certificate, web server and application on one host. */
export interface BalancerSite {
  readonly hosts: TestHosts;
  /** The root that the ACME CA of the lab issues from. */
  readonly root: string;
  readonly directory: string;
  readonly apply: (variables?: Readonly<Record<string, unknown>>) => Promise<Finished>;
  readonly plan: (variables?: Readonly<Record<string, unknown>>) => Promise<Finished>;
  /** Of the role nginx, on the host. */
  readonly act: (action: string, ...words: readonly string[]) => Promise<Finished>;
  readonly shell: (script: string) => Promise<string>;
  readonly down: () => Promise<void>;
}

export async function balancerSite(name: string, subnet: string): Promise<BalancerSite> {
  const hosts = await bareHosts(name, subnet, 1);
  const project = await mkdtemp(join(tmpdir(), 'hostwright-balancer-'));
  await mkdir(join(project, 'app'));
  await writeFile(join(project, 'app/main.py'), application);
  await copyFile(join(hosts.inventory, 'hosts.yml'), join(project, 'hosts.yml'));
  await writeFile(
    join(project, 'site.yml'),
    '- hosts: web\n  roles: [pki, app, nginx, haproxy]\n- hosts: lb\n  roles: [certificate]\n',
  );
  const directory = `https://${subnet}.1:14000/dir`;
  const own = {
    domain,
    acme_email: 'admin@foobar.com',
    acme_directory: directory,
    app_source: 'app',
    app_packages: ['python3'],
    app_command: ['/usr/bin/python3', 'main.py'],
  };
  const place = (variables = {}): readonly string[] => [
    ...['--json', '-i', join(project, 'hosts.yml'), '-e', JSON.stringify({ ...own, ...variables })],
  ];
  const words = (variables = {}): readonly string[] => ['--no-diff', ...place(variables)];
  return {
    hosts,
    root: await readFile(`/var/lib/hostwright-lab/${name}/acme-root.pem`, 'utf8'),
    directory,
    apply: (variables) => hosts.hostwright('apply', '--yes', ...words(variables)),
    plan: (variables) => hosts.hostwright('plan', ...words(variables)),
    act: (action, ...more) => hosts.hostwright('do', 'nginx', action, 'web1', '--yes', ...more, ...place()),
    shell: (script) => hosts.shell('web1', script),
    async down() {
      await hosts.down();
      await rm(project, { recursive: true, force: true });
    },
  };
}

/** A second ACME CA of the lab, whose certificates last a second: they have run out when they arrive. */
export async function hastyAuthority(name: string, subnet: string) {
  const folder = `/var/lib/hostwright-lab/${name}/acme`;
  const { pebble } = JSON.parse(await readFile(join(folder, 'pebble.json'), 'utf8')) as { pebble: object };
  const configuration = join(folder, 'hasty.json');
  await writeFile(
    configuration,
    JSON.stringify({
      pebble: {
        ...pebble,
        listenAddress: `${subnet}.1:14001`,
        managementListenAddress: `${subnet}.1:15001`,
        certificateValidityPeriod: 1,
      },
    }),
  );
  const process = spawn('pebble', ['-config', configuration, '-dnsserver', `${subnet}.1:53`], {
    stdio: 'ignore',
  });
  const gone = once(process, 'exit');
  return {
    directory: `https://${subnet}.1:14001/dir`,
    answers: () =>
      new Promise<boolean>((resolve) => {
        get(`https://${subnet}.1:14001/dir`, { rejectUnauthorized: false }, (response) => {
          response.resume();
          resolve(response.statusCode === 200);
        }).on('error', () => resolve(false));
      }),
    async end() {
      process.kill();
      await gone;
    },
  };
}
