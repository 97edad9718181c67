import type { DeclaredPaths } from '../resource.ts';
import { lineIn, parseListing, shownPath } from '../service/listing.ts';
import { overridesOf } from '../service/overrides.ts';
import { unitPaths, vendorPaths } from '../service/unit-files.ts';

const unit = 'ufw.service';

/** What `[Install]` of the unit has enabled. */
const enabling = `/etc/systemd/system/multi-user.target.wants/${unit}`;

/** Of what lies here follows what systemd makes of the unit; to ask it for one property costs a host ten times as much. */
export const partsOfUnit = [...unitPaths(unit), ...vendorPaths(unit), enabling];

/** Whether the unit starts at boot, and files that nobody declares and that make it another one, a space between. */
export function unitState(
  output: Buffer,
  host: DeclaredPaths,
): { readonly unit: string; readonly overriddenBy: string } {
  const { below } = parseListing(lineIn(output));
  const isMasked = (folder: string): boolean =>
    below(`${folder}/${unit}`).some(({ path, text }) => text === `${path} -> /dev/null`);
  const enablement = below(enabling).length > 0 ? 'enabled' : 'disabled';
  const masked = isMasked('/etc/systemd/system') ? 'masked' : 'masked-runtime';
  const isEither = masked === 'masked' || isMasked('/run/systemd/system');
  return {
    unit: isEither ? masked : enablement,
    overriddenBy: overridesOf(unit, below, host).map(shownPath).join(' ') || 'nothing',
  };
}
