import { expect, test } from 'vitest';
import { failureText } from '../../src/apply/failure-text.ts';

function told(stderr: string, stdout = ''): string {
  return failureText({ code: 1, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) });
}

// What the programs of Debian 13 print.
test.each([
  [
    'apt, of a package that is not there',
    'Reading package lists...\nBuilding dependency tree...\nReading state information...\nE: Unable to locate package no-such-package\n',
    'E: Unable to locate package no-such-package',
  ],
  [
    'dpkg, of a script that fails',
    `Setting up mysql-server (9.7.4-1) ...
Job for mysql.service failed because the control process exited with error code.
See "systemctl status mysql.service" and "journalctl -xeu mysql.service" for details.
invoke-rc.d: initscript mysql, action "start" failed.
dpkg: error processing package mysql-server (--configure):
 installed mysql-server package post-installation script subprocess returned error exit status 1
Errors were encountered while processing:
 mysql-server
E: Sub-process /usr/bin/dpkg returned an error code (1)`,
    'dpkg: error processing package mysql-server (--configure): installed mysql-server package post-installation script subprocess returned error exit status 1',
  ],
  [
    'dpkg, of a full disk',
    `Preparing to unpack .../socat_1.8.0.3-1_amd64.deb ...
Unpacking socat (1.8.0.3-1) ...
dpkg: error processing archive /var/cache/apt/archives/socat_1.8.0.3-1_amd64.deb (--unpack):
 cannot copy extracted data for './usr/bin/socat1' to '/usr/bin/socat1.dpkg-new': failed to write (No space left on device)
Errors were encountered while processing:
 /var/cache/apt/archives/socat_1.8.0.3-1_amd64.deb
E: Sub-process /usr/bin/dpkg returned an error code (1)`,
    "dpkg: error processing archive /var/cache/apt/archives/socat_1.8.0.3-1_amd64.deb (--unpack): cannot copy extracted data for './usr/bin/socat1' to '/usr/bin/socat1.dpkg-new': failed to write (No space left on device)",
  ],
  ['ufw', 'Logging enabled\nERROR: Bad destination address\n', 'ERROR: Bad destination address'],
  [
    'nginx',
    '2026/11/21 21:17:47 [warn] 25914#25914: the "user" directive makes sense only if the master process runs with super-user privileges\n2026/11/21 21:17:47 [emerg] 25914#25914: unknown directive "foo" in /etc/nginx/nginx.conf:2\nnginx: configuration file /etc/nginx/nginx.conf test failed\n',
    '2026/11/21 21:17:47 [emerg] 25914#25914: unknown directive "foo" in /etc/nginx/nginx.conf:2',
  ],
  [
    'HAProxy',
    `[NOTICE]   (25915) : haproxy version is 3.0.11-1+deb13u5
[NOTICE]   (25915) : path to executable is /usr/sbin/haproxy
[ALERT]    (25915) : config : parsing [h.cfg:2] : unknown keyword 'foo' in 'global' section
[ALERT]    (25915) : config : Error(s) found in configuration file : h.cfg
[ALERT]    (25915) : config : Fatal errors found in configuration.`,
    "[ALERT]    (25915) : config : parsing [h.cfg:2] : unknown keyword 'foo' in 'global' section",
  ],
  [
    'promtool',
    'Checking p.yml\n  FAILED: parsing YAML file p.yml: yaml: unmarshal errors:\n  line 2: field foo not found in type config.plain\n\n',
    'FAILED: parsing YAML file p.yml: yaml: unmarshal errors: line 2: field foo not found in type config.plain',
  ],
  [
    'amtool',
    `Checking 'a.yml'  FAILED: undefined receiver "x" used in route\n\namtool: error: failed to validate 1 file(s)\n`,
    `Checking 'a.yml'  FAILED: undefined receiver "x" used in route`,
  ],
  [
    'mysqld',
    "2026-11-21T21:17:51.813167Z 0 [Warning] [MY-010918] [Server] 'default_authentication_plugin' is deprecated\n2026-11-21T21:17:51.813167Z 0 [ERROR] [MY-000067] [Server] unknown variable 'foo=bar'.\n2026-11-21T21:17:51.819842Z 0 [ERROR] [MY-010119] [Server] Aborting\nmysqld ended with exit status 1\n",
    "2026-11-21T21:17:51.813167Z 0 [ERROR] [MY-000067] [Server] unknown variable 'foo=bar'.",
  ],
  [
    'prometheus, in the journal',
    `Nov 21 21:17:50 web1 systemd[1]: Starting prometheus.service...
Nov 21 21:17:50 web1 prometheus[2605]: time=2026-11-21T21:17:50.000Z level=INFO source=main.go:622 msg="Starting Prometheus Server"
Nov 21 21:17:50 web1 prometheus[2605]: time=2026-11-21T21:17:50.000Z level=ERROR source=main.go:640 msg="Error loading config" err="no such file"
Nov 21 21:17:50 web1 systemd[1]: prometheus.service: Main process exited, code=exited, status=2/INVALIDARGUMENT
Nov 21 21:17:50 web1 systemd[1]: prometheus.service: Failed with result 'exit-code'.`,
    'Nov 21 21:17:50 web1 prometheus[2605]: time=2026-11-21T21:17:50.000Z level=ERROR source=main.go:640 msg="Error loading config" err="no such file"',
  ],
  [
    'a service that does not start',
    `Job for zz.service failed because the control process exited with error code.
See "systemctl status zz.service" and "journalctl -xeu zz.service" for details.
Nov 21 21:17:50 web1 systemd[1]: Starting zz.service...
Nov 21 21:17:50 web1 nginx[26052]: 2026/11/21 21:17:50 [emerg] 26052#26052: unknown directive "foo" in /tmp/n.conf:2
Nov 21 21:17:50 web1 systemd[1]: zz.service: Control process exited, code=exited, status=1/FAILURE
Nov 21 21:17:50 web1 systemd[1]: zz.service: Failed with result 'exit-code'.
Nov 21 21:17:50 web1 systemd[1]: Failed to start zz.service.
the previous configuration is restored`,
    'Nov 21 21:17:50 web1 nginx[26052]: 2026/11/21 21:17:50 [emerg] 26052#26052: unknown directive "foo" in /tmp/n.conf:2',
  ],
  [
    'a service of which nothing more is known',
    'Job for busy.service failed because the control process exited with error code.\nSee "systemctl status busy.service" and "journalctl -xeu busy.service" for details.',
    'Job for busy.service failed because the control process exited with error code.',
  ],
  [
    'a configuration that is not valid',
    'the new configuration is not valid, no changes made:\n[NOTICE]   (1) : haproxy version is 3.0.11\n[ALERT]    (1) : config : no port\n',
    'the new configuration is not valid, no changes made: [ALERT]    (1) : config : no port',
  ],
  [
    'a service that is not healthy',
    'app.service is not healthy after 2 s (its check ended with exit status 1):\nGET /healthz: HTTP/1.1 503 Service Unavailable\nNov 21 21:17:50 web1 systemd[1]: Started app.service.',
    'app.service is not healthy after 2 s (its check ended with exit status 1): GET /healthz: HTTP/1.1 503 Service Unavailable',
  ],
  ['a command without marks', 'one thing\nno more of it', 'no more of it'],
  ['a single line', 'what it was', 'what it was'],
])('%s: the line of the error comes first, and all lines behind it', (_, said, expected) => {
  const [first, ...rest] = told(said).split('\n');
  expect(first).toBe(expected);
  for (const line of said.trim().split('\n').slice(1))
    if (rest.length > 0) expect(told(said)).toContain(line.trim());
});

test('what is said to standard output counts where nothing else is, and the status where that is all', () => {
  expect(told('', 'Checking a\nerror: no\n')).toMatch(/^error: no\n/);
  expect(told('')).toBe('exit status 1');
});

test('an error that is said long before the end is told too', () => {
  expect(told(`E: the reason\n${'and more of it\n'.repeat(1000)}`)).toMatch(/^E: the reason\nand/);
});
