import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { run } from './hosts.ts';
import { formsOf, type Marker } from './leaks-marker.ts';

/** Where a marker was found: `PATH OWNER:GROUP MODE`, or `cmdline`, `environ` and what runs there. */
export interface Trace {
  readonly where: string;
  readonly markers: readonly string[];
}

function needles(markers: readonly Marker[]): string {
  return markers.flatMap(formsOf).join('\n');
}

export function namesIn(text: string, markers: readonly Marker[]): readonly string[] {
  return markers.filter((one) => formsOf(one).some((form) => text.includes(form))).map(({ name }) => name);
}

/** Files below folders that hold any form of a marker. */
export async function filesWith(
  markers: readonly Marker[],
  folders: readonly string[],
  except: readonly string[] = [],
): Promise<readonly Trace[]> {
  const options = ['-rlaFZ', '--devices=skip', '-f', '-', ...except.map((name) => `--exclude-dir=${name}`)];
  const found = await run('grep', [...options, '--', ...folders], { input: needles(markers) });
  if (found.code !== null && found.code > 1 && found.stdout === '') throw new Error(found.stderr);
  const paths = found.stdout.split('\0').filter(Boolean);
  return await Promise.all(
    paths.map(async (path) => {
      const stat = await run('stat', ['-c', '%u:%g %a', '--', path]);
      const held = await Promise.all(
        markers.map(async (one) => {
          const options = ['-caF', '-f', '-', '--', path];
          return (await run('grep', options, { input: formsOf(one).join('\n') })).code === 0
            ? [one.name]
            : [];
        }),
      );
      return { where: `${path} ${stat.stdout.trim()}`, markers: held.flat() };
    }),
  );
}

/**
 * Looks at the command line and the environment of every process again and again; those of the hosts are
 * processes of this machine. The needles come by standard input, so that it does not find itself.
 */
const watcher = `use strict; use warnings; use Time::HiRes 'usleep';
my @needles = split /\\n/, do { local $/ = "\\0"; my $all = <STDIN>; chomp $all; $all };
my $any = join '|', map { quotemeta } @needles; my %seen; my $rounds = 0; my $stop = 0;
$SIG{TERM} = sub { $stop = 1 }; $| = 1; print "watching\\n";
until ($stop) {
  for my $pid (grep { /^[0-9]+$/ } map { s|/proc/||r } glob '/proc/[0-9]*') {
    for my $kind ('cmdline', 'environ') {
      open my $file, '<', "/proc/$pid/$kind" or next; local $/; my $text = <$file> // next;
      next unless $text =~ /($any)/; my $found = $1; next if $seen{"$pid $kind $found"}++;
      open my $line, '<', "/proc/$pid/cmdline"; my $command = <$line> // ''; $command =~ tr/\\0\\n/  /;
      print "$kind\\t$found\\t", (stat "/proc/$pid")[4], "\\t", substr($command, 0, 120), "\\n";
    }
  }
  $rounds++; usleep 5000;
}
print "rounds\\t$rounds\\n";`;

export interface Watch {
  /** Processes seen with a marker, and how often all were looked at. */
  readonly end: () => Promise<{ readonly traces: readonly Trace[]; readonly rounds: number }>;
}

export async function watchProcesses(markers: readonly Marker[]): Promise<Watch> {
  const child = spawn('perl', ['-e', watcher], { stdio: 'pipe' });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.end(`${needles(markers)}\0`);
  while (!output.includes('watching')) await once(child.stdout, 'data');
  return {
    end: async () => {
      child.kill('SIGTERM');
      await once(child, 'close');
      const lines = output.split('\n').map((line) => line.split('\t'));
      return {
        traces: lines
          .filter(([kind]) => kind === 'cmdline' || kind === 'environ')
          .map(([kind, found = '', uid, command]) => ({
            where: `${kind} of uid ${uid}: ${command}`,
            markers: namesIn(found, markers),
          })),
        rounds: Number(lines.find(([kind]) => kind === 'rounds')?.[1] ?? 0),
      };
    },
  };
}
