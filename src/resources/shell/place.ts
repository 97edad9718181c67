import { lines, sh, type Script } from '../../transport/shell.ts';
import { removal } from './removal.ts';

/**
 * `hw_place FROM TO`: what is made beside its place gets it by one rename. A link there is replaced and not followed, a
 * folder gives way where it is empty. Ends the script and says why where that cannot be.
 */
export const placeFunctions: Script = lines([
  removal,
  sh`hw_place() {
  hw_yield "$2"
  mv -fT "$1" "$2" || hw_stuck "$2"
}`,
]);
