import { describe, expect, it } from 'vitest';
import { withOrigins } from '../../src/apply/origin.ts';
import { fileType } from '../../src/resources/file.ts';
import { linkType } from '../../src/resources/link.ts';
import { unitType } from '../../src/resources/service/unit.ts';
import type { DeclaredResource, ResourceType } from '../../src/resources/resource.ts';

/** Line N of the text is from line N + 10 of its template. */
function declared<Desired extends object>(
  type: ResourceType<Desired>,
  attributes: object,
  template?: string,
): DeclaredResource {
  const desired = type.schema.parse(attributes);
  return {
    id: `${type.name}:${type.key(desired)}`,
    type,
    desired,
    needs: [],
    role: 'web',
    play: 0,
    ...(template === undefined
      ? {}
      : { origin: (line) => ({ file: template, ...(line === undefined ? {} : { line: line + 10 }) }) }),
  };
}

const resources = [
  declared(fileType, { path: '/etc/haproxy/haproxy.cfg', content: 'global\n' }, 'haproxy.cfg.hbs'),
  declared(fileType, { path: '/etc/nginx/sites-available/app', content: 'server {}\n' }, 'app.conf.hbs'),
  declared(linkType, { path: '/etc/nginx/sites-enabled/app', to: '../sites-available/app' }),
  declared(fileType, { path: '/etc/ssh/sshd_config.d/00.conf', content: 'Port 22\n' }, 'sshd.conf.hbs'),
  declared(fileType, { path: '/etc/plain.conf', content: 'made by hand\n' }),
  declared(fileType, { path: '/etc/prometheus/rules/alerts.yml', content: 'groups:\n' }, 'alerts.yml.hbs'),
  declared(fileType, { path: '/etc/prometheus.yml', content: 'x: 1\n' }, 'prometheus.yml.hbs'),
  declared(fileType, { path: '/etc/mysql/zz.cnf', content: '[mysqld]\n\nfoo = bar\n' }, 'my.cnf.hbs'),
  declared(unitType, { name: 'app.service', content: '[Service]\n' }, 'app.service.hbs'),
];

function added(message: string): readonly string[] {
  const [first, ...rest] = withOrigins(message, resources, ['file:/etc/mysql/zz.cnf']).split(`${message}\n`);
  expect(first).toBe(rest.length === 0 ? message : '');
  return rest
    .join('')
    .split('\n')
    .filter((line) => line !== '');
}

describe('what a program on a host says about a file', () => {
  it.each([
    [
      '[ALERT] config : parsing [/etc/haproxy/haproxy.cfg:3] : unknown keyword',
      'line 3 of /etc/haproxy/haproxy.cfg comes from haproxy.cfg.hbs:13',
    ],
    [
      'nginx: [emerg] unknown directive "x" in /etc/nginx/sites-enabled/app:7',
      'line 7 of /etc/nginx/sites-available/app comes from app.conf.hbs:17',
    ],
    [
      '/etc/ssh/sshd_config.d/00.conf: line 5: Bad configuration option: X',
      'line 5 of /etc/ssh/sshd_config.d/00.conf comes from sshd.conf.hbs:15',
    ],
    ['/etc/plain.conf:3:12: syntax error', 'line 3 of /etc/plain.conf comes from the role web'],
    [
      '/etc/prometheus/rules/alerts.yml: 12:9: group "x": bad',
      'line 12 of /etc/prometheus/rules/alerts.yml comes from alerts.yml.hbs:22',
    ],
    [
      'Checking /etc/prometheus.yml\n  FAILED: parsing YAML file /etc/prometheus.yml: yaml: unmarshal errors:\n  line 4: field x not found',
      'line 4 of /etc/prometheus.yml comes from prometheus.yml.hbs:14',
    ],
    [
      'error: Found option without preceding group in config file: /etc/mysql/zz.cnf at line: 1',
      'line 1 of /etc/mysql/zz.cnf comes from my.cnf.hbs:11',
    ],
    [
      "[ERROR] [MY-000067] [Server] unknown variable 'foo=bar'.",
      'line 3 of /etc/mysql/zz.cnf comes from my.cnf.hbs:13',
    ],
    ['app.service:2: Unknown key', 'line 2 of /etc/systemd/system/app.service comes from app.service.hbs:12'],
    ['cannot read /etc/haproxy/haproxy.cfg', '/etc/haproxy/haproxy.cfg comes from haproxy.cfg.hbs'],
  ])('%s', (message, expected) => {
    expect(added(message)).toEqual([expected]);
  });

  it.each([
    'something went wrong on line 5',
    '/etc/haproxy/haproxy.cfg.old:3: something',
    '/backup/etc/haproxy/haproxy.cfg:3: something',
    'app.service: Main process exited\n  File "main.py", line 3',
  ])('adds nothing to: %s', (message) => {
    expect(added(message)).toEqual([]);
  });

  it('calls a file that is checked before it is in its place by its own path', () => {
    expect(withOrigins('/etc/.hostwright.aB3xYz/plain.conf:3: bad', resources, [])).toBe(
      '/etc/plain.conf:3: bad\nline 3 of /etc/plain.conf comes from the role web',
    );
  });

  it('names the line that it says, not the file that the command was given', () => {
    const ended =
      'err="error parsing config file: yaml:\\n  line 1: field a not found"\ncheck --file=/etc/mysql/zz.cnf ended with exit status 1';
    expect(added(ended)).toEqual(['line 1 of /etc/mysql/zz.cnf comes from my.cnf.hbs:11']);
    const setting =
      "unknown variable 'foo=bar'\nmysqld --defaults-file=/etc/mysql/zz.cnf ended with exit status 1";
    expect(added(setting)).toEqual(['line 3 of /etc/mysql/zz.cnf comes from my.cnf.hbs:13']);
  });

  it('is said once for each line, however often it is named', () => {
    expect(
      added('/etc/plain.conf:3: a\n/etc/plain.conf:3: b\n/etc/plain.conf:4: c\nin /etc/plain.conf'),
    ).toEqual([
      'line 3 of /etc/plain.conf comes from the role web',
      'line 4 of /etc/plain.conf comes from the role web',
    ]);
  });
});
