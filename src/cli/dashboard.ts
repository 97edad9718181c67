import { spawn } from 'node:child_process';
import { Command } from 'commander';
import { z } from 'zod';
import { HostwrightError } from '../errors.ts';
import type { Inventory } from '../inventory/model.ts';
import { targetOf } from '../inventory/target.ts';
import { didYouMean } from '../suggestion.ts';
import { openTunnel, type Tunnel } from '../transport/connect.ts';
import { exitStatus, type ExitStatus } from './exit.ts';
import { watchInterrupts } from './interrupt.ts';
import { inventoryOption } from './options.ts';
import { readProject } from './project.ts';
import { serveTunnel } from './tunnel-server.ts';

interface DashboardOptions {
  readonly inventory?: string;
  readonly open: boolean;
}

/** As the role has it. */
const portOf = z.object({ dashboard_port: z.number().int().default(8090) });

/** Why sshd has opened no channel, by RFC 4254: it is configured so. */
const prohibited = 1;

/** The monitoring host of that name, or the first one. */
function monitoringHost(inventory: Inventory, wanted: string | undefined): string {
  const names = [...inventory.hosts.values()]
    .filter((host) => host.groups.includes('monitoring'))
    .map(({ name }) => name);
  const [first] = names;
  if (first === undefined) {
    throw new HostwrightError('E_INVENTORY', 'no host shows a dashboard', {
      place: { file: inventory.source },
      expected: 'a host in the group monitoring',
      hint: 'add a host to the group monitoring, and run hostwright apply',
    });
  }
  if (wanted === undefined) return first;
  if (names.includes(wanted)) return wanted;
  throw new HostwrightError('E_USAGE', `${wanted} is no host of the group monitoring`, {
    expected: names.join(', '),
    hint: didYouMean(wanted, names),
  });
}

/** Asks for the page over the tunnel: E_REMOTE where nothing answers there, or something else. */
async function checkPage(host: string, tunnel: Tunnel, port: number): Promise<void> {
  const refuse = (found: string, hint: string, cause?: unknown): HostwrightError =>
    new HostwrightError('E_REMOTE', 'the dashboard does not answer', {
      place: { host },
      found,
      hint,
      cause,
    });
  const stream = await tunnel.forward(port).catch((cause: unknown) => {
    const isForbidden = cause instanceof Error && 'reason' in cause && cause.reason === prohibited;
    throw refuse(
      isForbidden ? 'sshd of the host forwards no ports' : `nothing listens on 127.0.0.1 port ${port}`,
      isForbidden
        ? 'allow it in the sshd configuration of the host: AllowTcpForwarding local'
        : `hostwright apply --limit ${host} sets it up; on the host: systemctl status hostwright-dashboard`,
      cause,
    );
  });
  const line = await new Promise<string>((resolve) => {
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    // A channel of ssh closes only when both sides have ended.
    for (const event of ['end', 'error', 'close'] as const) stream.on(event, () => resolve(text));
    stream.write('HEAD / HTTP/1.0\r\nHost: localhost\r\n\r\n');
  });
  stream.destroy();
  const status = /^HTTP\/1\.\d (\d{3})/.exec(line)?.[1];
  if (status === '200' && /content-security-policy/i.test(line)) return;
  throw refuse(
    status === undefined ? `something else listens on port ${port}` : `status ${status}`,
    'on the host: journalctl -u hostwright-dashboard; another port: the variable dashboard_port',
  );
}

/** Shows a URL in the browser of the user; false where there is none. */
function openBrowser(url: string): boolean {
  const { env, platform } = process;
  const isDesktop =
    platform === 'darwin' || env['DISPLAY'] !== undefined || env['WAYLAND_DISPLAY'] !== undefined;
  if (!isDesktop) return false;
  const child = spawn(platform === 'darwin' ? 'open' : 'xdg-open', [url], {
    detached: true,
    stdio: 'ignore',
  });
  // The URL stands on the terminal.
  child.on('error', () => undefined);
  child.unref();
  return true;
}

async function show(wanted: string | undefined, options: DashboardOptions): Promise<ExitStatus> {
  const { inventory, variables } = await readProject(options, process.env);
  const host = monitoringHost(inventory, wanted);
  const own = variables.get(host) ?? { values: {}, places: new Map() };
  const { dashboard_port: port } = portOf.parse(own.values);
  const target = targetOf(host, own);
  const open = async (): Promise<Tunnel> => {
    const tunnel = await openTunnel(target);
    try {
      await checkPage(host, tunnel, port);
      return tunnel;
    } catch (error) {
      tunnel.close();
      throw error;
    }
  };
  const interrupts = watchInterrupts();
  try {
    const say = (words: string): void => {
      process.stderr.write(`${words}\n`);
    };
    const words = {
      lost: (why: string) => `lost the connection to ${host}: ${why}; connecting again`,
      away: (why: string) => `${why}; trying again`,
      back: () => `connected to ${host} again`,
    };
    const { port: here, done } = await serveTunnel(await open(), {
      open,
      port,
      tell: (event, why) => say(words[event](why)),
      signal: interrupts.signal,
    });
    const url = `http://127.0.0.1:${here}/`;
    process.stdout.write(`${url}\n`);
    const isOpened = options.open && openBrowser(url);
    const how = isOpened || !options.open ? '' : ' (no browser here: open the URL yourself)';
    say(`the dashboard of ${host}, until Ctrl-C${how}`);
    await done;
    return exitStatus.ok;
  } finally {
    interrupts.close();
  }
}

/** `hostwright dashboard [HOST]`: the page of the monitoring host, through the ssh connection. */
export function dashboardCommand(finish: (status: ExitStatus) => void): Command {
  return new Command('dashboard')
    .description(
      'Opens the dashboard of the site through the ssh connection: nothing is opened in the firewall. Prints the URL on 127.0.0.1, and runs until Ctrl-C.',
    )
    .argument('[host]', 'a host of the group monitoring (default: the first)')
    .addOption(inventoryOption())
    .option('--no-open', 'only print the URL')
    .action(async (host: string | undefined, options: DashboardOptions) => {
      finish(await show(host, options));
    });
}
