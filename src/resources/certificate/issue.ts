import { X509Certificate } from 'node:crypto';
import { basename, dirname } from 'node:path/posix';
import { HostwrightError } from '../../errors.ts';
import { certificateStem } from '../../pki/folder.ts';
import { signRequest } from '../../pki/sign.ts';
import type { Secret } from '../../secrets/secret.ts';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { secondsOf, spanText } from '../duration.ts';
import { renewal } from './state.ts';
import { placeFunctions } from '../shell/place.ts';
import { replaceFunctions } from '../shell/replace.ts';
import type { Change } from '../state.ts';
import type { Conversation, Step } from '../step.ts';

/** What is to be known of a certificate to make it. */
interface HostCertificate {
  readonly name: string;
  readonly names: readonly string[];
  readonly usage: readonly ('server' | 'client')[];
  readonly group: string;
  /** As `duration` has it. */
  readonly validFor: string;
  /** Key and certificate of the CA. */
  readonly authority: Secret;
}

/** Beside the real ones, under a name that services take no notice of. */
function candidate(stem: string): string {
  return `${dirname(stem)}/.hostwright.${basename(stem)}`;
}

/** A new key, and on standard output the request that goes with it. */
function makeRequest({ name }: HostCertificate): Script {
  const stem = certificateStem(name);
  const key = `${candidate(stem)}.key`;
  return sh`mkdir -p ${dirname(stem)}
(umask 077; openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ${key})
openssl req -new -sha256 -key ${key} -subj ${`/CN=${name}`} </dev/null`;
}

/**
 * Takes over a certificate from standard input. Three renames, one right after the other, and so not by `hw_replace`;
 * whatever stops the host between them leaves a pair that does not fit, which the next run sees.
 */
function install({ name, group }: HostCertificate, certificate: Buffer): Script {
  const stem = certificateStem(name);
  const next = candidate(stem);
  return sh`head -c ${certificate.length} >${`${next}.crt`}
[ "$(openssl x509 -in ${`${next}.crt`} -noout -pubkey)" = "$(openssl pkey -in ${`${next}.key`} -pubout)" ]
install -m 0600 /dev/null ${`${next}.pem`}
cat ${`${next}.crt`} ${`${next}.key`} >${`${next}.pem`}
chown root:root ${`${next}.crt`}; chmod 0644 ${`${next}.crt`}
chown ${`root:${group}`} ${`${next}.key`} ${`${next}.pem`}; chmod 0640 ${`${next}.key`} ${`${next}.pem`}
sync ${`${next}.crt`} ${`${next}.key`} ${`${next}.pem`}
for part in key crt pem; do hw_place ${next}."$part" ${stem}."$part"; done`;
}

const requests = /-----BEGIN CERTIFICATE REQUEST-----[^-]+-----END CERTIFICATE REQUEST-----/g;

/** A certificate that the host would not take for a good one must not replace one that it does. */
function checkClock(certificate: string, hostSeconds: number, now: Date): void {
  const { validFrom, validTo } = new X509Certificate(certificate);
  if (renewal(Date.parse(validFrom) / 1000, Date.parse(validTo) / 1000, hostSeconds) === 'not due') return;
  const difference = hostSeconds - now.getTime() / 1000;
  throw new HostwrightError(
    'E_REMOTE',
    `the clock of the host is ${spanText(Math.abs(difference))} ${difference < 0 ? 'behind' : 'ahead of'} the clock of this machine`,
    { hint: 'correct the clock that is wrong: certificates need both' },
  );
}

/** New keys and certificates: the host makes keys and requests, the controller signs, the host takes over. */
export function issue(changes: readonly Change<HostCertificate>[]): Conversation {
  const certificates = changes.map((change) => change.desired);
  return {
    resources: changes.map((change) => change.id),
    title: `issue ${certificates.map((certificate) => certificate.name).join(', ')}`,
    converse: async (ask) => {
      const answer = await ask(lines([sh`date +%s`, ...certificates.map(makeRequest)]));
      const text = answer.toString('utf8');
      const now = new Date();
      const made = text.match(requests) ?? [];
      const signed = await Promise.all(
        certificates.map(async ({ name, names, usage, validFor, authority }, index) => {
          const certification = { commonName: name, names, usage, validFor: secondsOf(validFor) };
          const certificate = await signRequest(authority.reveal(), made[index] ?? '', certification, now);
          checkClock(certificate, Number(text.split('\n')[0]), now);
          return Buffer.from(certificate);
        }),
      );
      const scripts = certificates.map((certificate, index) =>
        install(certificate, signed[index] ?? Buffer.alloc(0)),
      );
      await ask(lines([placeFunctions, ...scripts]), Buffer.concat(signed));
    },
  };
}

/** Files of the same key and certificate, with owner, mode and bundle as declared and no rights beside. */
export function repair({ id, desired: { name, group } }: Change<HostCertificate>): Step {
  const stem = certificateStem(name);
  const script = sh`${replaceFunctions}
cat ${`${stem}.crt`} >"$HW/crt"
(umask 077; cat ${`${stem}.key`} >"$HW/key")
hw_replace 0644 ${`${stem}.crt`} <"$HW/crt"
hw_replace 0640 ${`${stem}.key`} ${`root:${group}`} <"$HW/key"
cat ${`${stem}.crt`} ${`${stem}.key`} >"$HW/bundle"
hw_replace 0640 ${`${stem}.pem`} ${`root:${group}`} <"$HW/bundle"`;
  return { resources: [id], title: `set owner and mode of ${stem}.key`, script };
}
