import { createHash } from 'node:crypto';
import type { PageData } from './page-types.ts';

/** What the build makes of `pages/report`. */
export interface PageParts {
  readonly script: string;
  readonly style: string;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** JSON that no parser of HTML takes for the end of its element, or for anything else. */
function embedded(data: PageData): string {
  return JSON.stringify(data)
    .replaceAll('<', String.raw`\u003c`)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`);
}

/**
 * A page that is whole in itself: no request leaves it, and its policy allows the one script and the one style that
 * come with it. All that comes from hosts is data.
 */
export function htmlPage(data: PageData, { script, style }: PageParts): string {
  const policy = [
    `default-src 'none'`,
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    `base-uri 'none'`,
    `form-action 'none'`,
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>hostwright ${data.command}</title>
<style>${style}</style>
</head>
<body>
<noscript>This report is drawn by its own script.</noscript>
<script type="application/json" id="data">${embedded(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}
