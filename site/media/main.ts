import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { stepsOf, type Step } from './page.ts';
import { terminalPicture, type TerminalLine } from './picture.ts';

/*
 * Does what the pages tell a reader to do, on a lab host, and stores what the terminal shows as the pictures of
 * these pages: of all, or of those that are named. Fails where a command does, unless the page says so.
 * As root on Debian, after `npm run build`.
 */
const root = resolve(import.meta.dirname, '../..');
const named = process.argv.slice(2);
const pages = named.length > 0 ? named : ['docs/start.md', 'docs/tutorial.md'];
const { HOSTWRIGHT_LAB: lab = 'lab', HOSTWRIGHT_LAB_SUBNET: subnet = '10.213.77' } = process.env;

/** The pages name the default lab; this one may be another. */
const toOwn = (text: string): string =>
  text.replaceAll('10.213.77.', `${subnet}.`).replaceAll('hostwright-lab/lab/', `hostwright-lab/${lab}/`);
const toDefault = (text: string): string =>
  text
    .replaceAll(`${subnet}.`, '10.213.77.')
    .replaceAll(`hostwright-lab/${lab}/`, 'hostwright-lab/lab/')
    .replaceAll(`"${lab}"`, '"lab"');

interface Finished {
  readonly status: number;
  readonly output: string;
}

function shell(line: string, folder: string): Promise<Finished> {
  const env = {
    ...process.env,
    ...{ FORCE_COLOR: '1', LANG: 'C.UTF-8', PATH: `${join(root, 'bin')}:${process.env['PATH'] ?? ''}` },
    HOSTWRIGHT_INVENTORY: '',
  };
  return new Promise((done, failed) => {
    const child = spawn('bash', ['-c', `exec 2>&1; ${line}`], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.on('error', failed).on('close', (status) => {
      done({ status: status ?? 1, output });
    });
  });
}

/** A plan with changes ends with 2. */
const succeeded = ({ status }: Finished): boolean => status === 0 || status === 2;

async function follow(step: Step, folder: string, page: string): Promise<void> {
  if (step.kind === 'file') {
    await mkdir(join(folder, dirname(step.path)), { recursive: true });
    await writeFile(join(folder, step.path), toOwn(step.text));
    return;
  }
  const terminal: TerminalLine[] = [];
  for (const line of step.lines) {
    process.stderr.write(`$ ${line}\n`);
    const finished = await shell(toOwn(line), folder);
    if (succeeded(finished) === step.fails) {
      const what = step.fails ? 'did not fail' : `ended with ${finished.status}`;
      throw new Error(`${page}: "${line}" ${what}\n${finished.output}`);
    }
    const output = toDefault(finished.output).replaceAll(folder, '/root/site').trimEnd().split('\n');
    const shown = output.map((text): TerminalLine => ({ kind: 'output', text }));
    terminal.push({ kind: 'command', text: line }, ...shown, { kind: 'output', text: '' });
  }
  if (step.picture !== undefined) {
    await writeFile(resolve(root, dirname(page), step.picture), terminalPicture(terminal.slice(0, -1)));
  }
}

for (const page of pages) {
  const folder = await mkdtemp(join(tmpdir(), 'hostwright-pages-'));
  try {
    for (const step of stepsOf(await readFile(join(root, page), 'utf8'))) await follow(step, folder, page);
  } finally {
    await shell('hostwright lab down', folder);
    await rm(folder, { recursive: true, force: true });
  }
}
