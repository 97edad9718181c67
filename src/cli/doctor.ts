import { spawnSync } from 'node:child_process';
import { Command } from 'commander';
import pLimit from 'p-limit';
import { HostwrightError } from '../errors.ts';
import { selectHosts, type Selection } from '../inventory/pattern.ts';
import { targetOf } from '../inventory/target.ts';
import { formatError } from '../report/error.ts';
import { count } from '../report/layout.ts';
import { printable } from '../report/printable.ts';
import { readIdentities, identityFile } from '../secrets/identity.ts';
import { createConnect } from '../transport/connect.ts';
import { sh } from '../transport/shell.ts';
import type { Connect } from '../transport/transport.ts';
import { exitStatus, type ExitStatus } from './exit.ts';
import { addHostOptions, siteOption } from './options.ts';
import { readProject, readSiteOf, type Project, type ProjectOptions } from './project.ts';

type DoctorOptions = ProjectOptions & Selection;

/** One check; without `trouble` it passed. */
interface Finding {
  readonly subject: string;
  readonly trouble?: string;
  readonly hint?: string;
}

/** Reads what a host must have; each line of the answer is `name=value`. */
const healthScript = sh`printf 'system=%s %s\n' "$(. /etc/os-release; echo "$ID")" "$(. /etc/os-release; echo "$VERSION_CODENAME")"
printf 'dpkg=%s\n' "$(command -v dpkg-query)"
printf 'systemd=%s\n' "$(test -d /run/systemd/system && echo yes)"
printf 'free=%s\n' "$(df -P -k / | awk 'NR == 2 { print $4 }')"
printf 'interrupted=%s\n' "$(dpkg --audit 2>/dev/null | head -n 1)"
printf 'clock=%s\n' "$(date +%s)"`;

const leastFree = 1024 * 1024;
const mostSkew = 30;

function judgeHost(host: string, text: string, now: number): readonly Finding[] {
  const values = new Map(
    text
      .split('\n')
      .map((line): [string, string] => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]),
  );
  const findings: Finding[] = [
    { subject: `${host}: login and sudo work, ${printable(values.get('system') ?? '')}` },
  ];
  const fail = (trouble: string, hint: string): void => {
    findings.push({ subject: host, trouble, hint });
  };
  if (values.get('dpkg') === '') fail('dpkg is missing', 'Hostwright supports Debian and its descendants');
  if (values.get('systemd') !== 'yes')
    fail('systemd does not run', 'boot the host with systemd as process 1');
  const free = Number(values.get('free'));
  if (free < leastFree) fail(`only ${Math.round(free / 1024)} MiB free on /`, 'free at least 1 GiB');
  const interrupted = values.get('interrupted') ?? '';
  if (interrupted !== '')
    fail(`dpkg was interrupted: ${printable(interrupted)}`, 'run dpkg --configure -a on the host');
  const skew = Math.round(Number(values.get('clock')) - now / 1000);
  if (Math.abs(skew) > mostSkew)
    fail(
      `the clock is off by ${skew} s`,
      'certificates need the right time: the role base installs a time service',
    );
  return findings;
}

async function examineHost(
  host: string,
  project: Project,
  connect: Connect,
): Promise<readonly Finding[] | HostwrightError> {
  const variables = project.variables.get(host);
  if (variables === undefined) return [];
  try {
    const transport = await connect(targetOf(host, variables));
    try {
      const answer = await transport.request({ script: healthScript });
      return judgeHost(host, answer.stdout.toString('utf8'), Date.now());
    } finally {
      await transport.close();
    }
  } catch (error) {
    if (error instanceof HostwrightError) return error;
    throw error;
  }
}

async function examineMachine(): Promise<readonly Finding[]> {
  const findings: Finding[] = [{ subject: `this machine: Node ${process.versions.node}` }];
  const ssh = spawnSync('ssh', ['-V'], { encoding: 'utf8' });
  if (ssh.error === undefined) findings.push({ subject: `this machine: ${ssh.stderr.trim()}` });
  else {
    findings.push({
      subject: 'this machine',
      trouble: 'the ssh command is missing',
      hint: 'install openssh-client: Hostwright uses it to read ssh_config',
    });
  }
  const file = identityFile(process.env);
  const identities = await readIdentities(file);
  findings.push({
    subject:
      identities.length > 0
        ? `this machine: the identity ${file} decrypts secrets`
        : `this machine: no identity yet; the first secret creates ${file}`,
  });
  return findings;
}

function show(findings: readonly Finding[]): boolean {
  for (const { subject, trouble, hint } of findings) {
    process.stdout.write(trouble === undefined ? `ok     ${subject}\n` : `error  ${subject}: ${trouble}\n`);
    if (hint !== undefined) process.stdout.write(`       hint: ${hint}\n`);
  }
  return findings.every(({ trouble }) => trouble === undefined);
}

async function examine(options: DoctorOptions): Promise<ExitStatus> {
  let isWell = show(await examineMachine());
  const project = await readProject(options, process.env);
  show([
    {
      subject: `inventory: ${count(project.inventory.hosts.size, 'host')} in ${count(project.inventory.groups.size, 'group')}`,
    },
  ]);
  const site = await readSiteOf(project, options);
  show([{ subject: `site: ${count(site.plays.length, 'play')}, all role variables are valid` }]);
  const hosts = await selectHosts(project.inventory, 'all', options);
  const connect = createConnect();
  const limit = pLimit(20);
  const results = await Promise.all(
    hosts.map(({ name }) => limit(() => examineHost(name, project, connect))),
  );
  let isReached = true;
  for (const result of results) {
    if (result instanceof HostwrightError) {
      isReached = false;
      process.stdout.write(`${formatError(result)}\n`);
    } else {
      isWell = show(result) && isWell;
    }
  }
  if (!isWell) return exitStatus.failed;
  return isReached ? exitStatus.ok : exitStatus.unreachable;
}

/** `hostwright doctor`: checks everything that a run needs. */
export function doctorCommand(finish: (status: ExitStatus) => void): Command {
  return addHostOptions(new Command('doctor'))
    .description('check this machine, the inventory and the hosts')
    .addOption(siteOption())
    .action(async (options: DoctorOptions) => {
      finish(await examine(options));
    });
}
