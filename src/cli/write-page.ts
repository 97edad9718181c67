import { accessSync, constants, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { pageFile } from '../pages/built.ts';
import type { PageParts } from '../report/html/page.ts';

/** What the build has made of the page of reports. */
export function reportPage(): PageParts {
  const read = (name: string): string => Buffer.from(pageFile(name)).toString('utf8');
  return { script: read('report.js'), style: read('report.css') };
}

function cannotWrite(file: string, error: unknown): HostwrightError {
  return new HostwrightError('E_REPORT', 'the report cannot be written', {
    place: { file },
    found: error instanceof Error ? error.message : String(error),
    hint: 'name a file in a folder that you can write to',
  });
}

/** Before a run, whose report would be lost: E_REPORT where no file can be made. */
export function checkWritable(file: string): void {
  try {
    accessSync(dirname(resolve(file)), constants.W_OK);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

/** Writes a page, whole or not at all. */
export function writePage(file: string, page: string): void {
  try {
    writeFileSync(`${file}.part`, page);
    renameSync(`${file}.part`, file);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}
