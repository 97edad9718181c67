import { describe, expect, test } from 'vitest';
import { parseRights, rightsOf } from '../../src/resources/shell/rights.ts';

/** As tar 1.35 prints it. */
const output = Buffer.from(`-rw-r--r--  root/root         0 2026-11-21 20:26 /t/plain
-rw-rw-r--+ root/root         0 2026-11-21 20:26 /t/acl
  a: user::rw-,user:daemon:rw-,group::r--,mask::rw-,other::r--
drwxr-xr-x+ root/adm          0 2026-11-21 20:26:01.123 /t/d/
  a: user::rwx,group::r-x,other::r-x,default:user::rwx,default:user:daemon:rwx,default:group::r-x,default:mask::rwx,default:other::r-x
-rwxr-xr-x* 1000/root       1,2 2026-11-21 20:26 /t/we ird\\n\\\\\\303\\244
  x: 20 security.capability
  x: 20 user.else
`);

describe('rights beyond the mode', () => {
  const found = parseRights(output);

  test('are named by path, however that is written', () => {
    expect([...found]).toEqual([
      ['/t/acl', { acl: 'user:daemon:rw-' }],
      ['/t/d', { acl: 'default:user:daemon:rwx' }],
      ['/t/we ird\n\\ä', { capabilities: 'of a program' }],
    ]);
  });

  test('of several paths of one resource say which', () => {
    expect(rightsOf(['/t/plain'], found)).toEqual({});
    expect(rightsOf(['/t/acl'], found)).toEqual({ acl: 'user:daemon:rw-' });
    expect(rightsOf(['/t/acl', '/t/plain', '/t/d'], found)).toEqual({
      acl: '/t/acl user:daemon:rw-; /t/d default:user:daemon:rwx',
    });
  });
});
