// The public test kit, `hostwright/testing`: for roles and types of resources, with any test runner.
export { contextOf, hosts, ofType, resourcesOf, type RoleCase } from './role.ts';
export { asDeclared, declaredPaths, placed, planOf, statesOf } from './plan.ts';
export { checkType, scriptsOf, syntaxErrors } from './type.ts';
export { shellcheck } from './shellcheck.ts';
export { openRoot, type Root } from './root.ts';
export { openHost } from './host.ts';
export { converge, convergeTogether, probe, refuse } from './converge.ts';
export { hostile, isUnharmed } from './hostile.ts';
