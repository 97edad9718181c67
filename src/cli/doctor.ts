import { spawnSync } from 'node:child_process';
import { Command } from 'commander';
import pLimit from 'p-limit';
import { HostwrightError } from '../errors.ts';
import { selectHosts, type Selection } from '../inventory/pattern.ts';
import { targetOf } from '../inventory/target.ts';
import { formatError } from '../report/error.ts';
import { printable } from '../report/printable.ts';
import { readIdentities, identityFile } from '../secrets/identity.ts';
import { createConnect } from '../transport/connect.ts';
import { sh } from '../transport/shell.ts';
import type { Connect } from '../transport/transport.ts';
import { exitStatus, type ExitStatus } from './exit.ts';
import { addHostOptions, siteOption } from './options.ts';
import { readProject, readSiteOf, type Project, type ProjectOptions } from './project.ts';

type DoctorOptions = ProjectOptions & Selection;

/** One thing looked at; without `trouble` it is well. */
interface Finding {
  readonly subject: string;
  readonly trouble?: string;
  readonly hint?: string;
}

/** What a host must have; each line of the answer is `name=value`. */
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
    { subject: `${host}: logs in and becomes root, ${printable(values.get('system') ?? '')}` },
  ];
  const fail = (trouble: string, hint: string): void => {
    findings.push({ subject: host, trouble, hint });
  };
  if (values.get('dpkg') === '') fail('it has no dpkg', 'Hostwright manages Debian and its descendants');
  if (values.get('systemd') !== 'yes') fail('it does not run systemd', 'boot it with systemd as process 1');
  const free = Number(values.get('free'));
  if (free < leastFree) fail(`${Math.round(free / 1024)} MiB are free on /`, 'free at least 1 GiB');
  const interrupted = values.get('interrupted') ?? '';
  if (interrupted !== '')
    fail(`dpkg was interrupted: ${printable(interrupted)}`, 'run dpkg --configure -a on it');
  const skew = Math.round(Number(values.get('clock')) - now / 1000);
  if (Math.abs(skew) > mostSkew)
    fail(`its clock is ${skew} s off`, 'certificates and ACME need the time: see the role base');
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
      trouble: 'there is no ssh command',
      hint: 'install openssh-client: it reads ssh_config and makes keys',
    });
  }
  const file = identityFile(process.env);
  const identities = await readIdentities(file);
  findings.push({
    subject:
      identities.length > 0
        ? `this machine: ${file} opens encrypted values`
        : `this machine: no identity yet, ${file} is made with the first secret`,
  });
  return findings;
}

function show(findings: readonly Finding[]): boolean {
  for (const { subject, trouble, hint } of findings) {
    process.stdout.write(trouble === undefined ? `ok     ${subject}\n` : `wrong  ${subject}: ${trouble}\n`);
    if (hint !== undefined) process.stdout.write(`       hint: ${hint}\n`);
  }
  return findings.every(({ trouble }) => trouble === undefined);
}

async function examine(options: DoctorOptions): Promise<ExitStatus> {
  let isWell = show(await examineMachine());
  const project = await readProject(options, process.env);
  show([
    {
      subject: `inventory: ${project.inventory.hosts.size} hosts in ${project.inventory.groups.size} groups`,
    },
  ]);
  const site = await readSiteOf(project, options);
  show([{ subject: `site: ${site.plays.length} plays, every variable of every role is in order` }]);
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
      process.stdout.write(`wrong  ${formatError(result)}\n`);
    } else {
      isWell = show(result) && isWell;
    }
  }
  if (!isWell) return exitStatus.failed;
  return isReached ? exitStatus.ok : exitStatus.unreachable;
}

/** `hostwright doctor`: what is wrong, before anything else is tried. */
export function doctorCommand(finish: (status: ExitStatus) => void): Command {
  return addHostOptions(new Command('doctor'))
    .description('check this machine, the inventory and the hosts')
    .addOption(siteOption())
    .action(async (options: DoctorOptions) => {
      finish(await examine(options));
    });
}
