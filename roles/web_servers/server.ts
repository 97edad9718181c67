/** What is particular to a web server, as far as others must know it. */
export interface WebServer {
  /** Of the role, and of its variables: `nginx_port`. */
  readonly name: string;
  /** The systemd unit, without its suffix. */
  readonly unit: string;
  /** Answers 200 on 127.0.0.1, port `statusPort`, while it works. */
  readonly statusPath: string;
  /** Its access log, as `RequestLogDeclaration` wants it; left out where the server measures its requests itself. */
  readonly requestLog?: string;
  /** A program of awk: of that answer, how many requests are in hand beside this one. */
  readonly inHand: string;
  /** Who reads the key of its certificate; default `root`, for one that starts as root. */
  readonly group?: string;
  readonly unitSettings: {
    readonly capabilities: readonly string[];
    /** Folders that it writes to. */
    readonly writes: readonly string[];
    /** More lines of `[Service]`. */
    readonly settings?: readonly string[];
    /** The same, where other web servers get new requests while those in hand end before it stops. */
    readonly finishing?: readonly string[];
  };
}

/** What one that starts as root for its port and its keys needs to become another user. */
export const startsAsRoot = [
  'CAP_NET_BIND_SERVICE',
  'CAP_SETUID',
  'CAP_SETGID',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_KILL',
];

/** On 127.0.0.1: what a web server says of itself. */
export const statusPort = 8081;
