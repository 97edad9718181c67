export interface Bar {
  readonly tool: string;
  readonly seconds: number;
}

export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const left = 110;
const width = 720;
const barHeight = 16;
const step = 22;

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** Bars on a scale by powers of ten, with the seconds at the end of each. */
export function plot(groups: readonly BarGroup[]): string {
  const all = groups.flatMap((group) => group.bars.map((bar) => bar.seconds));
  const low = Math.floor(Math.log10(Math.min(...all)));
  const high = Math.ceil(Math.log10(Math.max(...all)));
  const scale = (seconds: number): number =>
    ((Math.log10(seconds) - low) / Math.max(high - low, 1)) * (width - left - 70);
  const parts: string[] = [];
  let y = 10;
  for (const { title, bars } of groups) {
    parts.push(`<text x="10" y="${y + 14}" font-weight="bold">${escape(title)}</text>`);
    y += 24;
    for (const { tool, seconds } of bars) {
      const length = Math.max(scale(seconds), 1).toFixed(1);
      const colour = tool === 'Hostwright' ? '#1a7f37' : '#8c959f';
      parts.push(
        `<text x="${left - 8}" y="${y + 12}" text-anchor="end">${escape(tool)}</text>`,
        `<rect x="${left}" y="${y}" width="${length}" height="${barHeight}" fill="${colour}"/>`,
        `<text x="${(left + Number(length) + 6).toFixed(1)}" y="${y + 12}">${seconds.toPrecision(3)} s</text>`,
      );
      y += step;
    }
    y += 10;
  }
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => {
    const x = (left + scale(10 ** (low + index))).toFixed(1);
    const label = `<text x="${x}" y="${y + 14}" text-anchor="middle">${Number((10 ** (low + index)).toPrecision(1))} s</text>`;
    return `<line x1="${x}" y1="6" x2="${x}" y2="${y}" stroke="#d0d7de"/>${label}`;
  });
  const size = `width="${width}" height="${y + 24}" viewBox="0 0 ${width} ${y + 24}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#ffffff"/>
${[...ticks, ...parts].join('\n')}
</svg>
`;
}
