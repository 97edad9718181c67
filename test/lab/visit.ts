import { request, type Agent } from 'node:https';

/** The site as the outside sees it. */
export interface Door {
  /** The name in the certificate. */
  readonly domain: string;
  readonly address: string;
  /** The only root that is trusted. */
  readonly root: string;
}

export interface Response {
  readonly status: number;
  /** The web server that answered. */
  readonly servedBy: string | undefined;
  readonly body: string;
}

export interface Visit {
  readonly path: string;
  readonly method?: 'GET' | 'POST';
  readonly agent?: Agent;
}

/** One request to the site as a browser makes it: by its name, with the CA's root as the only trust. */
export function visitDoor(door: Door, { path, method = 'GET', agent }: Visit): Promise<Response> {
  return new Promise((done, fail) => {
    const outgoing = request(
      {
        host: door.address,
        servername: door.domain,
        headers: { host: door.domain },
        ca: door.root,
        path,
        method,
        timeout: 10_000,
        ...(agent === undefined ? {} : { agent }),
      },
      (incoming) => {
        let body = '';
        incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
        incoming.on('error', fail);
        incoming.on('end', () => {
          const servedBy = incoming.headers['x-served-by'];
          done({
            status: incoming.statusCode ?? 0,
            servedBy: typeof servedBy === 'string' ? servedBy : undefined,
            body,
          });
        });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 10 s')));
    outgoing.on('error', fail);
    outgoing.end();
  });
}
