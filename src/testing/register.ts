// `node --import hostwright/testing/register --test`: tests in TypeScript without a build, with every Node that
// Hostwright runs on.
// oxlint-disable-next-line import/no-unassigned-import -- what it does is all there is to it
import 'jiti/register';
