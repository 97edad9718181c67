import type { PageData, PageHost } from '../../src/report/html/page-types.ts';
import { button, element } from '../frame/element.ts';
import { count, duration, shellWord, visible } from './format.ts';

/** Hosts that fit into a command line that people read. */
const mostNamed = 20;

const sum = (hosts: readonly PageHost[], of: (host: PageHost) => number): number =>
  hosts.reduce((total, host) => total + of(host), 0);

function verdict(data: PageData): readonly [text: string, kind: string] {
  const { ok, interrupted, command, hosts } = data;
  if (interrupted) return ['Interrupted', 'warned'];
  if (!ok) return ['Failed', 'bad'];
  if (command === 'apply') return ['Done', 'well'];
  const changes = sum(hosts, (host) => host.changes);
  const noun = command === 'drift' ? 'drifted resource' : 'change';
  return changes === 0
    ? [command === 'drift' ? 'No drift' : 'No changes', 'well']
    : [count(changes, noun), 'warned'];
}

function numbers({ command, hosts, seconds }: PageData): string {
  const unreachable = hosts.filter((host) => host.unreachable).length;
  const [changed, failed, skipped] = [
    sum(hosts, (host) => host.changed),
    sum(hosts, (host) => host.failed),
    sum(hosts, (host) => host.skipped),
  ];
  const unchanged = sum(hosts, (host) => host.resources - host.changes);
  const parts = [
    command === 'apply' ? `${changed.toLocaleString('en')} changed` : '',
    failed > 0 ? `${failed.toLocaleString('en')} failed` : '',
    skipped > 0 ? `${skipped.toLocaleString('en')} skipped` : '',
    `${unchanged.toLocaleString('en')} unchanged`,
  ].filter((part) => part !== '');
  const where = `on ${count(hosts.length - unreachable, 'host')}`;
  const away = unreachable > 0 ? `, ${count(unreachable, 'host')} unreachable` : '';
  return `${parts.join(', ')} ${where}${away} in ${duration(seconds * 1000)}`;
}

function facts({ command, run }: PageData): HTMLElement {
  const list = element('dl', 'facts');
  const add = (name: string, value: string | undefined, more = ''): void => {
    if (value === undefined || value === '') return;
    list.append(element('div', '', element('dt', '', name), element('dd', '', visible(value), more)));
  };
  add('command', `hostwright ${command}`);
  if (run === undefined) return list;
  add('began', new Date(run.start).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' }));
  add('by', run.who);
  add('inventory', run.inventory);
  add('limit', run.limit);
  add('shard', run.shard);
  add('roles', run.roles?.join(', '));
  add('commit', run.commit?.slice(0, 12), run.isClean === false ? ' with uncommitted changes' : '');
  add('Hostwright', run.version);
  return list;
}

export function copyButton(text: string, label: string): HTMLElement {
  const made = button(label, () => {
    // From a file there is no clipboard without a question: the selection is left to copy by hand.
    navigator.clipboard?.writeText(text).then(
      () => (made.textContent = 'Copied'),
      () => (made.textContent = 'Press Ctrl-C'),
    );
    const code = made.parentElement?.querySelector('code');
    if (code) getSelection()?.selectAllChildren(code);
  });
  made.className = 'copy';
  return made;
}

/** How to go on, where something is left to do. */
function next(data: PageData): HTMLElement | undefined {
  const { command, hosts, run, ok } = data;
  if (ok && (command === 'apply' || hosts.every(({ changes }) => changes === 0))) return undefined;
  const left = hosts.filter((host) =>
    command === 'apply' || !ok ? host.failed > 0 || host.skipped > 0 || host.unreachable : host.changes > 0,
  );
  if (left.length === 0) return undefined;
  const names = left.map(({ name }) => name);
  const isMany = names.length > mostNamed;
  const isAll = names.length === hosts.length;
  const limit = isMany ? '@hosts.txt' : names.join(',');
  const words = [
    'hostwright',
    ok || command === 'apply' ? 'apply' : command,
    ...(run === undefined ? [] : ['-i', run.inventory]),
    ...(isAll ? (run?.limit === undefined ? [] : ['--limit', run.limit]) : ['--limit', limit]),
    ...(run?.roles ?? []).flatMap((role) => ['--role', role]),
  ];
  const text = words.map(shellWord).join(' ');
  const about = ok
    ? 'To make these changes'
    : `Fix the cause, then go on with ${isAll ? 'all hosts' : count(names.length, 'host')}`;
  const list =
    isMany && !isAll ? copyButton(`${names.join('\n')}\n`, 'Copy the hosts, for hosts.txt') : undefined;
  const line = element('div', 'command', element('code', '', visible(text)), copyButton(text, 'Copy'));
  return element(
    'section',
    'next',
    element('p', '', `${about}; options such as -e and --site are as they were:`),
    line,
    list,
  );
}

/** How it ended, whose run it was, and how to go on. */
export function head(data: PageData): HTMLElement {
  const [text, kind] = verdict(data);
  return element(
    'section',
    `verdict ${kind}`,
    element('h1', '', text),
    element('p', 'numbers', numbers(data)),
    facts(data),
    next(data),
  );
}
