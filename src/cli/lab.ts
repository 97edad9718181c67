import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { down, reset, up } from '../lab/lab.ts';
import type { LabContext } from '../lab/lab.ts';
import { isRelease } from '../lab/request.ts';
import { labSettings, releases } from '../lab/settings.ts';
import type { Release } from '../lab/settings.ts';
import { formatStatus, status } from '../lab/status.ts';
import { RepeatableOption } from './repeatable.ts';

interface JsonOption {
  readonly json?: true;
}

interface UpOptions extends JsonOption {
  readonly hosts?: number;
  readonly release?: readonly Release[];
  readonly domain?: Domains;
}

type Domains = Readonly<Record<string, string>>;

/** `hostwright lab …`: three bare hosts on this machine. Which lab it is, the environment says. */
export function labCommand(): Command {
  const lab = new Command('lab').description('bare hosts on this machine, for trying and testing');
  lab.addHelpText(
    'after',
    '\nEnvironment: HOSTWRIGHT_LAB names the lab (lab), HOSTWRIGHT_LAB_SUBNET its IPv4 /24 (10.213.77): several run side by side.',
  );
  lab
    .command('up')
    .description('make the hosts, or start what is missing')
    .option('--hosts <number>', 'how many hosts (default: 3)', wholeNumber)
    .option(
      '--release <name,...>',
      `Debian release of all hosts, or of each: ${releases.join(', ')} (default: trixie)`,
      releaseList,
    )
    .addOption(
      new RepeatableOption(
        '--domain <name=host>',
        'a name that the name server answers (default: www.foobar.com=web1)',
      ).argParser(namedHost),
    )
    .option('--json', 'print the status as JSON')
    .action(async ({ hosts, release, domain, ...options }: UpOptions) => {
      const request = {
        ...(hosts === undefined ? {} : { hosts }),
        ...(release === undefined ? {} : { releases: release }),
        ...(domain === undefined ? {} : { domains: domain }),
      };
      await up(labSettings(process.env), request, context());
      await show(options);
    });
  lab
    .command('down')
    .description('end and remove the hosts')
    .option('--purge', 'also remove base trees, package cache and logs, which all labs share')
    .option('--json', 'print the status as JSON')
    .action(async (options: JsonOption & { readonly purge?: true }) => {
      const settings = labSettings(process.env);
      await down(settings, { purge: options.purge === true }, progress);
      if (options.json === true) print(JSON.stringify(await status(settings)));
    });
  lab
    .command('reset')
    .description('make hosts bare again, in seconds')
    .argument('[hosts...]', 'names of hosts (default: all)')
    .option('--json', 'print the status as JSON')
    .action(async (hosts: readonly string[], options: JsonOption) => {
      await reset(labSettings(process.env), hosts, context());
      await show(options);
    });
  lab
    .command('status')
    .description('what runs; exit status 0 when all is up, else 1')
    .option('--json', 'print it as JSON')
    .action(async (options: JsonOption) => {
      if (!(await show(options))) process.exitCode = 1;
    });
  return lab;
}

async function show({ json }: JsonOption): Promise<boolean> {
  const now = await status(labSettings(process.env));
  print(json === true ? JSON.stringify(now) : formatStatus(now));
  return now.up;
}

function context(): LabContext {
  // The same way from src/cli and from dist/cli.
  const inventory = fileURLToPath(new URL('../../inventory/lab', import.meta.url));
  return { progress, environment: process.env, inventory };
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function wholeNumber(value: string): number {
  if (!/^[1-9]\d{0,3}$/.test(value)) throw new InvalidArgumentError('expected a whole number from 1');
  return Number(value);
}

function releaseList(value: string): readonly Release[] {
  return value.split(',').map((name) => {
    if (!isRelease(name)) throw new InvalidArgumentError(`expected ${releases.join(', ')}, found ${name}`);
    return name;
  });
}

function namedHost(value: string, others: Domains = {}): Domains {
  const [name, host, ...rest] = value.split('=');
  if (name === undefined || name === '' || host === undefined || host === '' || rest.length > 0) {
    throw new InvalidArgumentError('expected NAME=HOST, such as www.foobar.com=web1');
  }
  return { ...others, [name.toLowerCase()]: host };
}
