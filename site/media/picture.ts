import wrapAnsi from 'wrap-ansi';

const glyph = { width: 8.43, height: 19 };
const margin = 16;
/** Cells of a line: all pictures have this width, so that the letters of all have one size on a page. */
const columns = 100;
const width = Math.ceil(columns * glyph.width + 2 * margin);

/** The classes of the picture by the codes of SGR, as far as the command line uses them. */
const classes: Readonly<Record<number, string>> = {
  1: 'bold',
  2: 'dim',
  31: 'red',
  32: 'green',
  33: 'yellow',
  34: 'blue',
  35: 'magenta',
  36: 'cyan',
  90: 'dim',
};

/** Which codes a code ends. */
const ends: Readonly<Record<number, readonly number[]>> = { 22: [1, 2], 39: [31, 32, 33, 34, 35, 36, 90] };

const style = `text{font:14px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre;fill:#d6dbe1}
.bold{font-weight:bold}.dim{fill:#8b949e}.red{fill:#ff7b72}.green{fill:#7ee787}.yellow{fill:#e3b341}
.blue{fill:#79c0ff}.magenta{fill:#d2a8ff}.cyan{fill:#76e3ea}.command{fill:#fff;font-weight:bold}`;

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function span(names: readonly string[], text: string): string {
  if (text === '') return '';
  return names.length === 0 ? escaped(text) : `<tspan class="${names.join(' ')}">${escaped(text)}</tspan>`;
}

/** One line with its colours. They are taken to end with the line, as the command line paints. */
function colouredLine(line: string): string {
  let active: readonly number[] = [];
  // Every second part is what stood between ESC [ and m.
  const parts = line.split(/\x1B\[([\d;]*)m/); // oxlint-disable-line no-control-regex -- that is what a colour begins with
  return parts
    .map((part, index) => {
      if (index % 2 === 0)
        return span(
          active.flatMap((code) => classes[code] ?? []),
          part,
        );
      for (const code of part.split(';').map(Number)) {
        const ended = code === 0 ? active : (ends[code] ?? []);
        active = code in classes ? [...active, code] : active.filter((one) => !ended.includes(one));
      }
      return '';
    })
    .join('');
}

/** A line of a terminal: a command that was typed, or output with its colours (SGR). */
export interface TerminalLine {
  readonly kind: 'command' | 'output';
  readonly text: string;
}

/** Lines as a terminal breaks them; each has its own colours. */
function wrapped({ kind, text }: TerminalLine): readonly TerminalLine[] {
  const typed = kind === 'command' ? `$ ${text}` : text;
  const lines = wrapAnsi(typed, columns, { hard: true, trim: false }).split('\n');
  return lines.map((line) => ({ kind, text: line }));
}

/** An SVG that shows these lines as a terminal does; the text in it can be selected and searched. */
export function terminalPicture(given: readonly TerminalLine[]): string {
  const lines = given.flatMap(wrapped);
  const height = lines.length * glyph.height + 2 * margin;
  const rows = lines.map(({ kind, text }, index) => {
    const content = kind === 'command' ? span(['command'], text) : colouredLine(text);
    const y = margin + 14 + index * glyph.height;
    return content === '' ? '' : `<text x="${margin}" y="${y}" xml:space="preserve">${content}</text>\n`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<style>${style}</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${rows.join('')}</svg>
`;
}
