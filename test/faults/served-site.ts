import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bareHosts, type Finished, type TestHosts } from '../lab/hosts.ts';
import type { Door } from '../lab/visit.ts';

/** Says its version, and takes as long as it is asked to. What it has in hand is lost when it is stopped. */
const application = (version: number): string => `
import base64, hashlib, http.server, os, time, urllib.parse

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self):
        self.rfile.read(int(self.headers.get('Content-Length', '0')))
        url = urllib.parse.urlsplit(self.path)
        if url.path == '/live':
            return self.live()
        if url.path == '/wait':
            time.sleep(float(url.query))
        body = b'version ${version}'
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def live(self):
        """A websocket with a word each second, until somebody ends it."""
        key = self.headers['Sec-WebSocket-Key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
        self.send_response(101)
        self.send_header('Upgrade', 'websocket')
        self.send_header('Connection', 'Upgrade')
        self.send_header('Sec-WebSocket-Accept', base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                self.wfile.write(b'\\x81\\x05still')
                time.sleep(1)
        except OSError:
            pass

    do_GET = do_POST = answer

    def log_message(self, *words):
        pass

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512

Server(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()
`;

const plays = `
- hosts: web
  roles: [base, pki]
- hosts: web
  serial: 1
  roles: [app]
- hosts: web
  serial: 1
  roles: [nginx]
- hosts: lb
  roles: [haproxy]
- hosts: lb
  roles: [certificate]
`;

/** While it is on a host, the check of a release fails there. */
export const refusal = '/srv/refused';

/** Three web servers with an application behind one balancer, without a database. */
export interface ServedSite {
  readonly hosts: TestHosts;
  readonly door: Door;
  /** Another version of the application, for the next apply. */
  release(version: number): Promise<void>;
  /** Ends what a rollback has declared: `app_source` counts again. */
  forgetRollback(): Promise<void>;
  /** `plan`, `apply --yes`, `do …` with the words of the site. */
  run(...words: readonly string[]): Promise<Finished>;
  down(): Promise<void>;
}

export async function servedSite(name: string, subnet: string): Promise<ServedSite> {
  const hosts = await bareHosts(name, subnet, 3);
  const project = await mkdtemp(join(tmpdir(), 'hostwright-served-'));
  await mkdir(join(project, 'app'));
  await writeFile(join(project, 'site.yml'), plays);
  await copyFile(join(hosts.inventory, 'hosts.yml'), join(project, 'hosts.yml'));
  const domain = 'www.foobar.com';
  const variables = {
    domain,
    acme_email: 'admin@foobar.com',
    acme_directory: `https://${subnet}.1:14000/dir`,
    app_source: 'app',
    app_packages: ['python3'],
    app_check: ['test', '!', '-e', refusal],
    app_command: ['/usr/bin/python3', 'main.py'],
    haproxy_unlimited_addresses: [`${subnet}.1`],
    nginx_requests_per_client: 0,
    // Longer than the longest request of the visitors; their websockets are cut then.
    drain_seconds: 12,
  };
  const site: ServedSite = {
    hosts,
    door: {
      domain,
      address: hosts.address('web1'),
      root: await readFile(`/var/lib/hostwright-lab/${name}/acme-root.pem`, 'utf8'),
    },
    release: (version) => writeFile(join(project, 'app/main.py'), application(version)),
    forgetRollback: () => rm(join(project, 'group_vars/app.yml')),
    run: (...words) =>
      hosts.hostwright(
        ...words,
        ...['--json', '-i', join(project, 'hosts.yml'), '-e', JSON.stringify(variables)],
      ),
    async down() {
      await hosts.down();
      await rm(project, { recursive: true, force: true });
    },
  };
  await site.release(1);
  return site;
}
