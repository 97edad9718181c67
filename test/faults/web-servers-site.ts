import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bareHosts, type Finished, type TestHosts } from '../lab/hosts.ts';

/** An application that says what it was asked, and takes its time. */
const application = `
import http.server, json, os, time, urllib.parse

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self):
        url = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        if url.path == '/wait':
            time.sleep(float(url.query))
        said = {'path': self.path, 'method': self.command, 'bytes': len(body), 'headers': dict(self.headers.items())}
        text = json.dumps(said).encode()
        isMissing = url.path == '/healthz' and os.path.exists(os.environ['STATE_DIRECTORY'] + '/missing')
        self.send_response(404 if isMissing else 200)
        self.send_header('Content-Type', 'application/javascript' if url.path.endswith('.js') else 'text/html')
        self.send_header('X-Powered-By', 'python')
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer

    def log_message(self, *words):
        pass

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

Server(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()
`;

const plays = `
- hosts: all
  roles: [pki, watcher]
- hosts: app
  serial: 1
  roles: [app]
- hosts: web
  serial: 1
  roles: [nginx, apache, caddy]
- hosts: lb
  roles: [haproxy]
- hosts: all
  roles: [monitoring_agent]
`;

/** Has the certificate of the monitoring server, as which the test reads metrics. */
const watcher = `import { defineRole, z } from 'hostwright';
export default defineRole({
  name: 'watcher',
  variables: z.object({}),
  declares: () => [
    { kind: 'certificate', name: 'prometheus', group: 'root', names: ['prometheus'], usage: ['client'] },
  ],
  resources: () => [],
});
`;

const variables = `domain: www.foobar.com
app_source: app
app_packages: [python3]
app_command: [/usr/bin/python3, main.py]
`;

export const domain = 'www.foobar.com';
export const names = ['web1', 'web2', 'web3'] as const;

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

export interface Question {
  readonly port?: number;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent by POST. */
  readonly body?: Buffer;
  /** The certificate of which service of web1 is shown. */
  readonly as?: string;
}

export interface WebServersSite {
  readonly hosts: TestHosts;
  /** A request straight to a host. */
  readonly ask: (host: string, question: Question) => Promise<Answer>;
  /** A request to the balancer. */
  readonly visit: (question: Question) => Promise<Answer>;
  /** Sets the variables of a host. */
  readonly set: (host: string, values: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly hostwright: (...words: readonly string[]) => Promise<Finished>;
  readonly down: () => Promise<void>;
}

/** Three hosts with an application and a web server each, one of them with the balancer too. */
export async function webServersSite(
  name: string,
  subnet: string,
  releases: string,
): Promise<WebServersSite> {
  const hosts = await bareHosts(name, subnet, names.length, releases);
  const project = await mkdtemp(join(tmpdir(), 'hostwright-web-servers-'));
  for (const folder of ['app', 'group_vars/all', 'host_vars', 'roles/watcher'])
    await mkdir(join(project, folder), { recursive: true });
  await writeFile(join(project, 'app/main.py'), application);
  await writeFile(join(project, 'site.yml'), plays);
  await writeFile(join(project, 'roles/watcher/role.ts'), watcher);
  await writeFile(join(project, 'group_vars/all/main.yml'), variables);
  await copyFile(join(hosts.inventory, 'hosts.yml'), join(project, 'hosts.yml'));
  const certificates = new Map<string, Promise<string>>();
  const read = (path: string): Promise<string> => {
    const known = certificates.get(path) ?? hosts.shell('web1', `cat /etc/hostwright/pki/${path}`);
    certificates.set(path, known);
    return known;
  };
  const send = async (host: string, servername: string, question: Question): Promise<Answer> => {
    const { port, path = '/', headers = {}, body, as } = question;
    const identity = as === undefined ? {} : { cert: await read(`${as}.crt`), key: await read(`${as}.key`) };
    return await new Promise((done, fail) => {
      const outgoing = request(
        {
          ...{ host: hosts.address(host), port, path, servername, agent: false, timeout: 20_000 },
          ...identity,
          // Of the balancer only what it says is of interest here.
          rejectUnauthorized: false,
          method: body === undefined ? 'GET' : 'POST',
          headers: {
            host: domain,
            ...(body === undefined ? {} : { 'content-length': body.length }),
            ...headers,
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', fail);
          incoming.on('end', () =>
            done({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              body: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 20 s')));
      outgoing.on('error', fail);
      outgoing.end(body);
    });
  };
  return {
    hosts,
    ask: (host, question) => send(host, host, { port: 8443, ...question }),
    visit: (question) => send('web1', domain, { port: 443, ...question }),
    set: (host, values) => writeFile(join(project, `host_vars/${host}.yml`), JSON.stringify(values)),
    hostwright: (...words) => hosts.hostwright(...words, '-i', join(project, 'hosts.yml')),
    async down() {
      await hosts.down();
      await rm(project, { recursive: true, force: true });
    },
  };
}

/** Asks for pages all the time, for short ones and long ones, by GET and POST; gives what failed. */
export function visitors({ visit }: Pick<WebServersSite, 'visit'>) {
  const failed: string[] = [];
  const pending: Promise<void>[] = [];
  const questions: readonly Question[] = [
    { path: '/' },
    { path: '/form', body: Buffer.from('a=b') },
    { path: '/wait?0.2' },
    { path: '/wait?3', body: Buffer.from('a=b') },
  ];
  let count = 0;
  const one = async (question: Question): Promise<void> => {
    const since = new Date().toISOString();
    const said = await visit(question).then(({ status }) => String(status), String);
    if (said !== '200')
      failed.push(`${since} ${question.body === undefined ? 'GET' : 'POST'} ${question.path ?? ''} ${said}`);
  };
  const timer = setInterval(() => {
    const question = questions[count % questions.length];
    count += 1;
    if (question !== undefined) pending.push(one(question));
  }, 50);
  return {
    async stop(): Promise<{ readonly asked: number; readonly failed: readonly string[] }> {
      clearInterval(timer);
      await Promise.all(pending);
      return { asked: pending.length, failed };
    },
  };
}
