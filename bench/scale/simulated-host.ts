import { createServer, type Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ParsedKey } from 'ssh2';
import { converse, type Reply } from './conversation.ts';

/** `tcp` takes the connection and says nothing; `shell` lets in and says nothing more. */
export type Silence = 'tcp' | 'shell';

export interface HostOptions {
  readonly name: string;
  /** Of the loopback network. */
  readonly address: string;
  readonly silent?: Silence | undefined;
}

/** One connection to a host; milliseconds of the machine's monotonic clock, the same for all processes. */
export interface Visit {
  readonly host: string;
  readonly from: number;
  /**
   * When the controller ended its remote shell, or the connection where there was none; undefined while it
   * stands. It goes on to the next host when we say that the shell has ended, not when TCP is done.
   */
  until?: number;
  requests: number;
}

export interface SimulatedHost {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
  readonly close: () => void;
}

export interface Surroundings {
  /** The public key that may log in. */
  readonly authorized: string;
  readonly reply: Reply;
  readonly visits: Visit[];
}

export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Keys of the formats that ssh2 reads; throws what it says of others. */
function parseKey(text: string): ParsedKey {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw key;
  return key;
}

/** ssh2 writes one of some hundred private keys in a form that it cannot read again. */
function makeKeys(): { readonly private: string; readonly public: string } {
  for (;;) {
    const keys = ssh2.utils.generateKeyPairSync('ed25519');
    if (!(ssh2.utils.parseKey(keys.private) instanceof Error)) return keys;
  }
}

/** What is wrong with a signature may come as an Error, which the types do not say. */
const isTrue = (value: unknown): boolean => value === true;

function authenticate(context: AuthContext, authorized: ParsedKey): void {
  const isRight =
    context.method === 'publickey' &&
    context.key.algo === authorized.type &&
    authorized.getPublicSSH().equals(context.key.data) &&
    (context.signature === undefined ||
      (context.blob !== undefined && isTrue(authorized.verify(context.blob, context.signature))));
  if (isRight) context.accept();
  else context.reject(['publickey']);
}

function serve(client: Connection, options: HostOptions, { reply }: Surroundings, visit: Visit): void {
  client.on('session', (accept) => {
    accept().on('exec', (acceptExec, _reject, { command }) => {
      const stream = acceptExec();
      if (options.silent === 'shell') return;
      const counted: Reply = (request) => {
        visit.requests += 1;
        return reply(request);
      };
      const talk = async (): Promise<void> => {
        try {
          await converse(stream, command, counted);
          visit.until = now();
          stream.exit(0);
        } catch (error) {
          stream.stderr.write(`${String(error)}\n`);
          stream.exit(1);
        }
        stream.end();
      };
      void talk();
    });
  });
}

/** A host's SSH server on a port of its own, with a key of its own. */
export async function startHost(options: HostOptions, surroundings: Surroundings): Promise<SimulatedHost> {
  const { name, address, silent } = options;
  const keys = makeKeys();
  const authorized = parseKey(surroundings.authorized);
  const server = new ssh2.Server({ hostKeys: [keys.private] });
  const sockets = new Set<Socket>();
  const front = createServer({ noDelay: true }, (socket) => {
    const visit: Visit = { host: name, from: now(), requests: 0 };
    surroundings.visits.push(visit);
    sockets.add(socket);
    for (const event of ['end', 'close']) socket.once(event, () => (visit.until ??= now()));
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    if (silent === 'tcp') {
      // Unread, the goodbye would never show.
      socket.resume();
      return;
    }
    server.once('connection', (client) => {
      client.on('authentication', (context) => authenticate(context, authorized));
      client.on('error', () => undefined);
      serve(client, options, surroundings, visit);
    });
    server.injectSocket(socket);
  });
  await new Promise<void>((resolve, reject) => {
    front.once('error', reject);
    front.listen(0, address, resolve);
  });
  const bound = front.address();
  if (bound === null || typeof bound === 'string') throw new Error('the host has no port');
  return {
    name,
    address,
    port: bound.port,
    hostKey: keys.public.split(' ').slice(0, 2).join(' '),
    close: () => {
      front.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
