const SPECIAL = /[.*+?^${}()|[\]\\/]/g;

/** One `[…]` of a glob as the source of a regular expression; `![…]` excludes. */
function characterClass(content: string): string {
  const negated = content.startsWith('!');
  const inner = (negated ? content.slice(1) : content).replaceAll(/[\\\]^[]/g, String.raw`\$&`);
  // A range that runs backwards matches nothing, as in fnmatch.
  const forward = inner.replaceAll(/([^\\])-([^\\])/g, (range, from: string, to: string) =>
    from <= to ? range : '',
  );
  if (forward === '') return negated ? '.' : '(?!)';
  return `[${negated ? '^' : ''}${forward}]`;
}

/** A shell glob (`*`, `?`, `[a-c]`, `[!a]`) as a regular expression for the whole of a name. */
export function globExpression(glob: string): RegExp {
  const source = glob.replaceAll(/\*|\?|\[(!?\][^\]]*|[^\]]+)\]|[\s\S]/g, (part, content?: string) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    if (content !== undefined) return characterClass(content);
    return part.replaceAll(SPECIAL, String.raw`\$&`);
  });
  return new RegExp(`^(?:${source})$`, 's');
}
