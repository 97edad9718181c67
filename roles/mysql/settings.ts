import { Secret } from 'hostwright';

/** Options that are no variables: the server shows them in another form, or not at all. */
const noVariables = /^(?:plugin_load|plugin_load_add|mysqlx|loose_.*|wsrep_provider_options)$/;

/**
 * What an option file sets, by the names that the server gives them; the last of each counts. The file itself is asked,
 * so that one source says what is written and what must be in force, with a template of the user's own too. A file
 * that holds a secret says nothing.
 */
export function settingsIn(content: string | Secret): Record<string, string> {
  if (content instanceof Secret) return {};
  const pairs = content.split('\n').flatMap((line): [string, string][] => {
    const [, name, value = 'ON'] =
      /^\s*([A-Za-z][\w-]*)\s*(?:=\s*(.*?)\s*)?$/.exec(line.replace(/\s#.*$/, '')) ?? [];
    if (name === undefined) return [];
    return [[name.toLowerCase().replaceAll('-', '_'), value.replace(/^(["'])(.*)\1$/, '$2')]];
  });
  return Object.fromEntries(
    pairs.filter(([name, value]) => !noVariables.test(name) && !value.includes('\\')),
  );
}
