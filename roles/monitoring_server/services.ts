import { service, unit, type Resource, type ResourceId, type RoleContext } from 'hostwright';
import { sandbox, type Sandbox } from '../monitoring/service.ts';

/** A part of the monitoring server that listens on 127.0.0.1 and is reloaded by a signal. */
export interface Watcher {
  /** Of the unit, the package and the /etc/default file. */
  readonly name: string;
  readonly port: number;
  /** What its own metrics begin with: `prometheus`. */
  readonly prefix: string;
  readonly config: string;
  readonly reads?: readonly string[];
  readonly validate: readonly [string, ...string[]];
  readonly sandbox: Sandbox;
  readonly needs?: readonly ResourceId[];
}

/** Succeeds when http://127.0.0.1:PORT/PATH answers 200; bare hosts have bash and nothing else that can ask. */
const ask = `ask() {
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET %s HTTP/1.0\\r\\n\\r\\n' "$2" >&3
  IFS= read -r status <&3
  case $status in *' 200 '*) ;; *) echo "GET $2: \${status:-no answer}" >&2; return 1 ;; esac
}`;

/**
 * A signal does not say whether the reload went well. The metrics do: the time of the last good one is past
 * the time of the signal.
 */
const reload = `${ask}
before=$(date +%s)
systemctl reload "$3"
for _ in $(seq 60); do
  if ask "$1" /metrics 2>/dev/null && awk -v metric="$2_config_last_reload_success_timestamp_seconds" -v before="$before" '
    $1 == metric && $2 + 0 >= before { good = 1 }
    END { exit !good }' <&3; then exit 0; fi
  sleep 0.5
done
echo "$3 has not taken up its configuration" >&2
exit 1`;

export function watcher(
  { name, port, prefix, config, reads = [], validate, sandbox: options, needs = [] }: Watcher,
  { template }: Pick<RoleContext<object>, 'template'>,
): readonly Resource[] {
  return [
    unit(`${name}.service`, { dropIn: 'hostwright', content: sandbox(template, options) }),
    service(
      name,
      {
        reloadOn: [config, ...reads],
        restartOn: [`/etc/default/${name}`],
        validate: [...validate],
        reload: ['bash', '-c', reload, 'reload', String(port), prefix, name],
        healthy: ['bash', '-c', `${ask}\nask "$1" /-/healthy`, 'healthy', String(port)],
        // Prometheus reads its journal of hours first.
        healthyWithin: 120,
      },
      { needs },
    ),
  ];
}
