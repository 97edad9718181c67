import { exitStatus, type ExitStatus } from './exit.ts';
import { assemble, verbs } from './program.ts';

/** Runs one command line; resolves with the exit status and never rejects. */
export async function main(argv: readonly string[]): Promise<ExitStatus> {
  let status: ExitStatus = exitStatus.ok;
  const finish = (finished: ExitStatus): void => {
    status = finished;
  };
  const verb = argv.find((word) => Object.hasOwn(verbs, word));
  try {
    const program = await assemble(verb, finish);
    await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    const { tellFailure } = await import('./failure.ts');
    return tellFailure(error, { argv, verb, seconds: performance.now() / 1000 });
  }
}

// `hostwright plan | head`: the reader has closed the pipe, which is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode);
  throw error;
});

const status = await main(process.argv.slice(2));
// A command may have set its own, such as `lab status` of a lab that is down.
if (status !== exitStatus.ok) process.exitCode = status;
// Node would wait for connections that are still being opened.
if (status === exitStatus.interrupted) process.exit();
