/** Where people and programs put units and drop-ins; what packages bring lies below /usr/lib, and is not read. */
export const unitFolders = [
  '/etc/systemd/system.control',
  '/run/systemd/system.control',
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
] as const;

/** `app@blue.service` is made of `app@.service`. */
function templateOf(unit: string): string | undefined {
  const [, prefix, type] = /^([^@]+)@[^@]+(\.\w+)$/.exec(unit) ?? [];
  return prefix === undefined || type === undefined ? undefined : `${prefix}@${type}`;
}

/** The folders of drop-ins that a unit takes up: its own, its template's, `a-.service.d` of `a-b.service`, `service.d`. */
export function dropInNames(unit: string): readonly string[] {
  const type = unit.slice(unit.lastIndexOf('.') + 1);
  const stem = unit.slice(0, -type.length - 1).replace(/@.*$/, '');
  const parts = stem.split('-');
  const prefixes = parts.slice(0, -1).map((_, index) => `${parts.slice(0, index + 1).join('-')}-.${type}`);
  const template = templateOf(unit);
  return [unit, ...(template === undefined ? [] : [template]), ...prefixes, type].map((name) => `${name}.d`);
}

/** The names of the files and folders that a unit is made of, in each of `unitFolders`. */
export function unitNames(unit: string): readonly string[] {
  const template = templateOf(unit);
  return [unit, ...(template === undefined ? [] : [template]), ...dropInNames(unit)];
}

/** What a unit is made of, as far as it is not of a package: in all folders what `unitNames` names. */
export function unitPaths(unit: string): readonly string[] {
  return unitFolders.flatMap((folder) => unitNames(unit).map((name) => `${folder}/${name}`));
}

/** Where packages bring a unit or the template of it. */
export function vendorPaths(unit: string): readonly string[] {
  const template = templateOf(unit);
  return [unit, ...(template === undefined ? [] : [template])].map(
    (name) => `/usr/lib/systemd/system/${name}`,
  );
}
