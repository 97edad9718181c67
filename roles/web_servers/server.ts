/** What is particular to a web server, as far as others must know it. */
export interface WebServer {
  /** Of the role, and of its variables: `nginx_port`. */
  readonly name: string;
  /** The systemd unit, without its suffix. */
  readonly unit: string;
  /** Answers 200 on 127.0.0.1, port `statusPort`, while it works. */
  readonly statusPath: string;
  /** A program of awk: of that answer, how many requests are in hand beside this one. */
  readonly inHand: string;
}

/** On 127.0.0.1: what a web server says of itself. */
export const statusPort = 8081;
