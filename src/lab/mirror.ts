import { HostwrightError } from '../errors.ts';
import { runCommand, tryCommand } from './command.ts';

/** Where this machine gets Debian from: known at run time only, never written into a file of the project. */
export interface Mirror {
  readonly main: string;
  /** undefined where the machine's sources have none. */
  readonly security: string | undefined;
  /** The proxy that apt of this machine is told to use. */
  readonly proxy: string | undefined;
}

const debianSuite = /^(?:oldoldstable|oldstable|stable|testing|unstable|bullseye|bookworm|trixie|forky|sid)$/;
const securitySuite = /-security$|\/updates$/;

/** Reads the machine's own apt sources, of both formats, by apt itself. E_LAB where they hold no usable Debian. */
export async function readMirror(): Promise<Mirror> {
  const listed = await runCommand('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI) $(RELEASE) $(COMPONENT)',
  ]);
  const main: string[] = [];
  const security: string[] = [];
  for (const line of listed.split('\n')) {
    const [address = '', suite = '', component] = line.split(' ');
    if (component !== 'main' || !/^https?:/.test(address)) continue;
    if (debianSuite.test(suite)) main.push(address);
    if (securitySuite.test(suite)) security.push(address);
  }
  const proxy = (await tryCommand('apt-config', ['shell', 'PROXY', 'Acquire::http::Proxy'])).stdout;
  // Other archives use Debian's suite names too; the archive's own folder is called debian nearly everywhere.
  const chosen = main.find((address) => /\/debian\/?$/.test(address)) ?? main[0];
  if (chosen === undefined) {
    throw new HostwrightError('E_LAB', 'the apt sources of this machine have no Debian archive', {
      expected: 'an http or https source for Debian, component main',
      hint: 'the lab uses the Debian archive of this machine; `apt-get indextargets` shows what apt knows',
    });
  }
  return { main: chosen, security: security[0], proxy: /^PROXY='(http.+)'$/m.exec(proxy)?.[1] };
}
