import { Option, type Command } from 'commander';
import { HostwrightError } from '../errors.ts';

/** An option that may be given several times. */
export class RepeatableOption extends Option {
  constructor(flags: string, description: string) {
    super(flags, `${description}; repeatable`);
    this.argParser((text, before: readonly string[] | undefined) => [...(before ?? []), text]);
  }
}

const ways: Readonly<Record<string, string>> = {
  inventory: 'put the files into one folder: a folder is read as one inventory',
  limit: 'give one pattern: --limit web1,db1',
};

/** Makes every other option refuse a second value, which would silently replace the first. */
export function refuseSecondValues(command: Command): void {
  for (const option of command.options) {
    if (option instanceof RepeatableOption || option.isBoolean()) continue;
    const name = option.attributeName();
    const values: string[] = [];
    command.on(`option:${option.name()}`, (value: string) => {
      values.push(value);
      if (values.length < 2) return;
      const hint = ways[name] ?? 'remove one of them';
      throw new HostwrightError('E_USAGE', `--${option.name()} is given twice`, {
        found: values.join(', '),
        expected: 'one value',
        hint,
      });
    });
  }
}
