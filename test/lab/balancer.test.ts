import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balancerSite, domain, hastyAuthority, type BalancerSite } from './balancer-site.ts';
import { visitDoor, type Response } from './visit.ts';

const name = 'balancer';
const subnet = '10.213.66';

let site: BalancerSite;

const visit = (path: string): Promise<Response> =>
  visitDoor({ domain, address: site.hosts.address('web1'), root: site.root }, { path });

/** Script of a user without any right; gives its status and what it said. */
async function asNobody(script: string): Promise<string> {
  const quoted = script.replaceAll("'", `'\\''`);
  return await site.shell(
    `cd /var/tmp && setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME=/var/tmp/nobody sh -c '${quoted}' 2>&1; echo "status $?"`,
  );
}

const serial = async (): Promise<string> =>
  await site.shell('openssl x509 -in /etc/haproxy/certs/site.pem -noout -serial');

beforeAll(async () => {
  site = await balancerSite(name, subnet);
  const apply = await site.apply();
  expect(apply.code, `${apply.stdout}${apply.stderr}`).toBe(0);
});

afterAll(async () => {
  await site.down();
});

describe('the certificate of the site', () => {
  it('is issued, and nothing is left to do', async () => {
    expect((await visit('/')).status).toBe(200);
    const plan = await site.plan();
    expect(plan.code, plan.stdout).toBe(0);
  });

  it('is for the account of the site alone, whichever ports others take', async () => {
    const asking = `mkdir -p nobody && lego --accept-tos --email nobody@foobar.com --server ${site.directory} --path nobody/lego \\
      --domains ${domain} --http --http.port 127.0.0.1:8402 run`;
    await site.shell('install -d -o nobody /var/tmp/nobody');
    const answer = await asNobody(asking);
    expect(answer).toContain('urn:ietf:params:acme:error:unauthorized');
    expect(answer).not.toContain('status 0');
    expect(await site.shell('find /var/tmp/nobody -name "*.crt"')).toBe('');
  });

  it('is renewed while somebody holds every port that was ever used for it', async () => {
    const before = await serial();
    await site.shell(
      `systemd-run --quiet --unit=holder --uid=nobody socat TCP-LISTEN:8402,bind=127.0.0.1,fork SYSTEM:'echo HTTP/1.0 200'`,
    );
    await site.shell('/usr/local/sbin/hostwright-certificate --force 2>&1; systemctl stop holder');
    expect(await serial()).not.toBe(before);
  });

  it('takes up the key of the site where a host had an account of its own, and asks for no certificate', async () => {
    const before = await serial();
    const account = '/var/lib/hostwright/certificate/lego/accounts/*/*';
    await site.shell(
      `openssl ecparam -name prime256v1 -genkey -noout -out $(ls ${account}/keys/*.key); rm /etc/hostwright/acme-account.key`,
    );
    const apply = await site.apply();
    expect(apply.code, apply.stdout).toBe(0);
    expect(await serial()).toBe(before);
    await site.shell('/usr/local/sbin/hostwright-certificate --force 2>&1');
    expect(await serial()).not.toBe(before);
    await site.shell(`cmp ${account}/keys/*.key /etc/hostwright/acme-account.key`);
  });

  it('of a CA that gives nothing of use changes nothing, and is no certificate of that CA', async () => {
    const before = await serial();
    const hasty = await hastyAuthority(name, subnet);
    try {
      await expect.poll(hasty.answers, { timeout: 10_000 }).toBe(true);
      const apply = await site.apply({ acme_directory: hasty.directory });
      expect(apply.code).toBe(1);
      expect(apply.stdout).toMatch(/the CA issued a certificate that (has run out|runs out soon)/);
      expect(await serial()).toBe(before);
      const plan = await site.plan({ acme_directory: hasty.directory });
      expect(plan.code, plan.stdout).toBe(2);
      expect(plan.stdout).toContain(`"name":"directory","from":"${site.directory}"`);
    } finally {
      await hasty.end();
    }
    expect((await site.apply()).code).toBe(0);
    expect(await serial()).toBe(before);
  });
});

describe('the application', () => {
  it('can take no port but its own', async () => {
    for (const port of [8402, 9090, 33_060]) {
      expect((await visit(`/bind?${port}`)).body).toContain('Operation not permitted');
    }
    // One that the kernel chooses, as clients do.
    expect((await visit('/bind?0')).body).toBe('taken');
  });
});
