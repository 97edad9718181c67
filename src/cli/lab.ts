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

/** `hostwright lab …`: bare hosts on this machine. The environment selects the lab. */
export function labCommand(): Command {
  const lab = new Command('lab').description('run bare test hosts on this machine');
  lab.addHelpText(
    'after',
    '\nEnvironment:\n  HOSTWRIGHT_LAB         name of the lab (default: lab)\n  HOSTWRIGHT_LAB_SUBNET  IPv4 /24 of the lab (default: 10.213.77)\nSeveral labs can run side by side.',
  );
  lab
    .command('up')
    .description('create the hosts, or start the missing ones')
    .option('--hosts <number>', 'number of hosts (default: 3)', wholeNumber)
    .option(
      '--release <name,...>',
      `Debian release of all hosts, or one for each: ${releases.join(', ')} (default: trixie)`,
      releaseList,
    )
    .addOption(
      new RepeatableOption(
        '--domain <name=host>',
        'DNS name of a host, or of an IPv4 address such as a floating one (default: www.foobar.com=web1)',
      ).argParser(namedTarget),
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
    .description('stop and remove the hosts')
    .option('--purge', 'also remove the base systems, package cache and logs that all labs share')
    .option('--json', 'print the status as JSON')
    .action(async (options: JsonOption & { readonly purge?: true }) => {
      const settings = labSettings(process.env);
      await down(settings, { purge: options.purge === true }, progress);
      if (options.json === true) print(JSON.stringify(await status(settings)));
    });
  lab
    .command('reset')
    .description('reset hosts to a bare Debian')
    .argument('[hosts...]', 'host names (default: all)')
    .option('--json', 'print the status as JSON')
    .action(async (hosts: readonly string[], options: JsonOption) => {
      await reset(labSettings(process.env), hosts, context());
      await show(options);
    });
  lab
    .command('status')
    .description('show what runs; exit status 0 when everything is up, otherwise 1')
    .option('--json', 'print the status as JSON')
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
  // The same path from src/cli and from dist/cli.
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

function namedTarget(value: string, others: Domains = {}): Domains {
  const [name, target, ...rest] = value.split('=');
  if (name === undefined || name === '' || target === undefined || target === '' || rest.length > 0) {
    throw new InvalidArgumentError('expected NAME=HOST or NAME=ADDRESS, such as www.foobar.com=web1');
  }
  return { ...others, [name.toLowerCase()]: target };
}
