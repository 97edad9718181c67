// The public API for roles. Roles import from 'hostwright' and nothing else of it.
export { z } from 'zod';
export { defineRole, group, address } from './roles/role.ts';
export type * from './roles/role.ts';
export { Secret } from './secrets/secret.ts';
export { sh, lines, Script } from './transport/shell.ts';
export { declare } from './resources/resource.ts';
export type * from './resources/resource.ts';
export { file } from './resources/file.ts';
export { directory } from './resources/directory.ts';
export { link } from './resources/link.ts';
export { pkg } from './resources/package.ts';
export { service } from './resources/service.ts';
