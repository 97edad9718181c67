/** What a page tells its reader to do, in its order. */
export type Step =
  | { readonly kind: 'file'; readonly path: string; readonly text: string }
  | {
      readonly kind: 'commands';
      readonly lines: readonly string[];
      /** The page says that they fail. */
      readonly fails: boolean;
      /** The picture of their output right below, relative to the page. */
      readonly picture: string | undefined;
    };

const file = /^`(?<path>[^`\n]+)`:\n\n```\w*\n(?<text>[^]*?)^```$/;
const commands =
  /^```sh(?<fails> fails)?\n(?<lines>[^]*?)^```$(?:\n\n!\[[^\]]*\]\((?<picture>[^)]+\.svg)\))?/;
const either = new RegExp(`${file.source}|${commands.source}`, 'gm');

/**
 * The steps of a page: a block below a line that is only a path in code and a colon is that file,
 * a block `sh` is commands for a shell, and `sh fails` commands that do not succeed.
 */
export function stepsOf(page: string): readonly Step[] {
  return [...page.matchAll(either)].map(({ groups = {} }): Step => {
    const { path, text, lines, fails, picture } = groups;
    if (path !== undefined) return { kind: 'file', path, text: text ?? '' };
    const commands = (lines ?? '').split('\n').filter((line) => line !== '');
    return { kind: 'commands', lines: commands, fails: fails !== undefined, picture };
  });
}
