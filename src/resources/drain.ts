import { lines, sh, type Script } from '../transport/shell.ts';

/** How a host that serves others is taken out of service, and put in again, by itself. */
export interface Drain {
  /** A word for what serves: `web`. While its file is there (`drainFile`), others are told to send nothing new. */
  readonly name: string;
  /** Prints how many requests are in hand; fails where nothing is served. Reads, changes nothing. */
  readonly inHand: Script;
  /** Seconds until all who send requests have noticed, that it is out and that it is in again. */
  readonly noticed: number;
  /** Seconds that requests in hand may take after that. */
  readonly ended: number;
}

/** What serves on a host while others could do so in its place. */
export interface Serving {
  readonly drain: Drain;
  /** The roles whose services requests pass through. */
  readonly roles: ReadonlySet<string>;
}

/** Below /run, so that a host that was rebooted serves again; web servers see nothing below /run/hostwright, which is root's. */
export const drainFolder = '/run/hostwright-drain';

/** What says that a host is out of service. */
export function drainFile({ name }: Pick<Drain, 'name'>): string {
  return `${drainFolder}/${name}`;
}

function timer({ name }: Drain): string {
  return `hostwright-drain-${name}.timer`;
}

/** Tells others to send nothing new, until `endDrain`, a reboot, or so many minutes later, whatever comes first. */
export function beginDrain(drain: Drain, minutes: number): Script {
  const unit = timer(drain);
  return sh`mkdir -p -m 0755 ${drainFolder}
systemctl stop ${unit} 2>/dev/null || :
systemd-run --quiet --collect --unit=${unit} --on-active=${minutes}min --timer-property=AccuracySec=200ms rm -f ${drainFile(drain)}
touch ${drainFile(drain)}`;
}

/** Lets others send requests again. */
export function endDrain(drain: Drain): Script {
  return sh`rm -f ${drainFile(drain)}
systemctl stop ${timer(drain)} 2>/dev/null || :`;
}

/** Waits until the requests in hand have ended, within `noticed` and `ended` seconds; prints how many have not. */
export function settle({ inHand, noticed, ended }: Drain): Script {
  return lines([
    sh`hw_in_hand() {`,
    inHand,
    sh`}
sleep ${noticed}
end=$(($(cut -d . -f 1 /proc/uptime) + ${ended}))
while left=$(hw_in_hand) && [ "$left" -gt 0 ] && [ "$(cut -d . -f 1 /proc/uptime)" -lt "$end" ]; do
  sleep 0.5
done
echo "\${left:-0}"`,
  ]);
}
