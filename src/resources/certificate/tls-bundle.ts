import { basename, dirname, join } from 'node:path/posix';
import { z } from 'zod';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { path } from '../path.ts';
import { placeFunctions } from '../shell/place.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import { Unreadable, type Change } from '../state.ts';
import { each, type Step } from '../step.ts';
import { entries, type Stat } from '../shell/stat.ts';
import { parsePem, readPem, type Pem } from './pem.ts';

const schema = z.strictObject({
  path,
  names: z
    .array(z.string().regex(/^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/, 'expected a host name'))
    .nonempty()
    .describe('Host names of the self-signed certificate'),
  copy: path.optional().describe('An existing bundle to copy, if it is valid, instead of a self-signed one'),
  absent: z.literal(false).optional(),
});

type TlsBundle = z.output<typeof schema>;

const mode = '0600';
const owner = 'root:root';

/** Succeeds when a file holds a certificate and the key that belongs to it. */
const inOrder = sh`hw_in_order() {
  hw_public=$(openssl x509 -in "$1" -noout -pubkey </dev/null 2>/dev/null) || return 1
  [ "$hw_public" = "$(openssl pkey -in "$1" -passin pass: -pubout </dev/null 2>/dev/null)" ]
}`;

function stateOf(stat: Stat | undefined, pem: Pem | undefined, hasOpenssl: boolean) {
  if (stat === undefined) return null;
  if (!hasOpenssl) return new Unreadable('openssl is not installed');
  const isWhole = stat.kind === 'file' && pem?.fits === true;
  return {
    content: isWhole ? 'a certificate and its key' : 'damaged',
    mode: stat.mode,
    owner: `${stat.owner}:${stat.group}`,
    ...entries(stat),
  };
}

/** Beside the folder, which a server may read as a whole, and so not by `hw_replace`. */
function nextTo(at: string): string {
  return join(dirname(dirname(at)), `.hostwright.${basename(at)}`);
}

/** The copy, else a new one. */
function make({ path: at, names, copy }: TlsBundle): Script {
  const next = nextTo(at);
  const alternatives = names.map((name) => `DNS:${name}`).join(',');
  const found = copy === undefined ? sh`false` : sh`[ -f ${copy} ] && hw_in_order ${copy}`;
  return sh`umask 077
t=${next}
trap 'rm -f "$t" "$t.key" "$t.crt"' EXIT
# In a folder with an ACL for new files the umask counts for nothing.
install -m 0600 /dev/null "$t"
if ${found}; then cp ${copy ?? ''} "$t"
else
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 365 \
    -subj ${`/CN=${names[0] ?? ''}/O=self-signed until a CA issues one`} -addext ${`subjectAltName=${alternatives}`} \
    -keyout "$t.key" -out "$t.crt" </dev/null 2>&1
  cat "$t.crt" "$t.key" >"$t"
fi
chown ${owner} "$t"; chmod ${mode} "$t"; sync "$t"
hw_place "$t" ${at}`;
}

/** The same certificate and key in a new file, which has no rights beside its mode. */
function again({ path: at }: TlsBundle): Script {
  return sh`umask 077
t=${nextTo(at)}
trap 'rm -f "$t"' EXIT
install -m 0600 /dev/null "$t"
cat ${at} >"$t"
chown ${owner} "$t"; chmod ${mode} "$t"; sync "$t"
hw_place "$t" ${at}`;
}

function step({ id, desired, actual, attributes }: Change<TlsBundle>): Step {
  const isWhole = actual !== null && attributes.every(({ name }) => name !== 'content');
  if (isWhole) {
    const script = lines([placeFunctions, again(desired)]);
    return { resources: [id], title: `set mode and owner of ${desired.path}`, script };
  }
  return {
    resources: [id],
    title: `make ${desired.path}`,
    script: lines([placeFunctions, inOrder, make(desired)]),
  };
}

export const tlsBundleType = defineResource({
  name: 'tls_bundle',
  summary:
    'A certificate and its key in one PEM file, so that a server can start: self-signed until a CA issues one. A valid bundle is left unchanged',
  schema,
  key: (bundle) => bundle.path,
  want: () => ({ content: 'a certificate and its key', mode, owner }),
  probe: (batch) => ({
    ...readPem(
      batch.map(({ path: at }) => at),
      batch.map(({ path: at }) => ({ certificate: at, key: at })),
    ),
    parse: (output) => {
      const { stats, hasOpenssl, pems } = parsePem(output, batch.length);
      return batch.map(({ path: at }, index) => stateOf(stats.get(at), pems[index], hasOpenssl));
    },
  }),
  apply: each(step),
  comparison: { computed: ['entries'] },
  order: { after: () => ['package:openssl'] },
  files: { path: (bundle) => bundle.path, modeIsAll: (bundle) => [bundle.path] },
});

/** `tlsBundle('/etc/haproxy/certs/site.pem', { names: ['www.foobar.com'] })`. */
export function tlsBundle(
  at: string,
  attributes: Omit<z.input<typeof schema>, 'path'>,
  options?: ResourceOptions,
): Resource {
  return declare(tlsBundleType, { path: at, ...attributes }, options);
}
