/** The 101 items: a facts item, which every tool has by itself, and these. */
export const fileCount = 60;
export const userCount = 10;
export const lineCount = 10;
export const packages = [
  ...['curl', 'less', 'rsync', 'tmux', 'jq', 'git', 'vim-tiny', 'htop'],
  ...['strace', 'lsof', 'tree', 'unzip', 'zip', 'bc', 'file'],
];
export const services = ['ssh', 'systemd-journald', 'systemd-logind', 'dbus', 'systemd-networkd'];
export const linesFile = '/etc/bench.lines';

export interface Item {
  readonly index: number;
}

export function items(count: number): readonly Item[] {
  return Array.from({ length: count }, (_, index) => ({ index }));
}

export const filePath = ({ index }: Item): string => `/etc/bench-${index}.conf`;
export const userName = ({ index }: Item): string => `bench${index}`;
export const userId = ({ index }: Item): number => 2000 + index;
export const lineText = ({ index }: Item): string => `line ${index}`;

/** `word` is what the change in one file changes; it stands in the first file alone. */
export function fileContent({ index }: Item, host: string, word: string): string {
  return `host=${host}\nvalue=${index === 0 ? word : index}\n${'x'.repeat(400)}\n`;
}
