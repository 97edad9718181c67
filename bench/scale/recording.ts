import { sh } from '../../src/transport/shell.ts';
import type { Answer, Transport } from '../../src/transport/transport.ts';
import { requestDigest, type Reply } from './conversation.ts';

/** What a real host answered, by the digest of the request; base64, to be sent to other processes. */
export type Recording = Record<
  string,
  { readonly code: number; readonly stdout: string; readonly stderr: string }
>;

/** Hands requests on to a real host and keeps its answers. */
export function recordInto(recording: Recording, transport: Transport): Reply {
  return async (request) => {
    const script = sh`eval ${request.script.toString()}`;
    const answer = await transport.request({ script, stdin: request.stdin });
    recording[requestDigest(request)] = {
      code: answer.code,
      stdout: answer.stdout.toString('base64'),
      stderr: answer.stderr.toString('base64'),
    };
    return answer;
  };
}

/** Gives the recorded answer to the same request; another one fails, as a command that is not there. */
export function replay(recording: Recording): Reply {
  const answers = new Map(
    Object.entries(recording).map(([digest, { code, stdout, stderr }]): [string, Answer] => [
      digest,
      { code, stdout: Buffer.from(stdout, 'base64'), stderr: Buffer.from(stderr, 'base64') },
    ]),
  );
  const unknown: Answer = {
    code: 127,
    stdout: Buffer.alloc(0),
    stderr: Buffer.from('this request was not recorded\n'),
  };
  return (request) => Promise.resolve(answers.get(requestDigest(request)) ?? unknown);
}
