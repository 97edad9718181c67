import type { z } from 'zod';
import { lines } from '../../transport/shell.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import type { Change } from '../state.ts';
import type { Ask } from '../step.ts';
import {
  alone,
  becomesOnline,
  begin,
  join,
  loginStatement,
  prepareStatements,
  runOutside,
} from './group-entry.ts';
import {
  count,
  failed,
  hasLogin,
  inGroup,
  isGivenUp,
  isOpenBeside,
  look,
  parse,
  question,
  schema,
  stateOf,
  told,
  type Member,
} from './group-member-state.ts';
import { isInGroup, ownState } from './group-state.ts';
import { forgetStatements, forgetTransactions, isOfPackage } from './of-package.ts';
import { keepTransactions, keptIn, transactionsIn } from './own-transactions.ts';
import { probeServer } from './question.ts';
import { copyData } from './replica.ts';
import { endSeeding } from './seeding-mark.ts';
import { runSql, sqlBytes } from './sql.ts';

/** Without what Debian's package has written, where that is all that the group lacks. */
async function forgetPackage(on: Ask, own: string): Promise<boolean> {
  const proof = await on(isOfPackage(own, transactionsIn(own)));
  if (proof.toString('utf8').trim() !== 'yes') return false;
  await on(forgetTransactions, sqlBytes(forgetStatements(own)));
  return true;
}

function refuseToLose(member: Member, own: string, from: string): void {
  if (isGivenUp(member, own)) return;
  throw failed(
    `this server has ${count(own)} that the group lacks, so it cannot join, and no changes were made: ${own}\n` +
      `copy them to ${from}, or discard them: set mysql_discard_transactions of this host to exactly these; ` +
      `they are kept as statements in ${keptIn} of this host`,
  );
}

async function takePart(on: Ask, { desired: member }: Change<Member>): Promise<void> {
  const found = await look(on);
  const { start: how } = member;
  if (ownState(found.server) === inGroup) {
    const statements = [
      ...(hasLogin(found, member) ? [] : [loginStatement(member)]),
      ...(isOpenBeside(found) ? ['SET GLOBAL super_read_only = ON'] : []),
    ];
    if (statements.length > 0) await on(runSql('mysql'), sqlBytes(statements));
    if (isInGroup(found.server) || (await becomesOnline(on, member))) return;
    throw failed(
      'this member sees no majority of its group: it takes no writes, and goes on when it sees one',
    );
  }
  if (how.kind === 'refuse') throw failed(how.reason);
  const ofGroup = how.kind === 'join' && how.from !== undefined ? how : undefined;
  const own = ofGroup?.own ?? '';
  const donor = ofGroup?.from;
  if (own !== '' && donor !== undefined && !(await forgetPackage(on, own))) {
    refuseToLose(member, own, donor.name);
    await on(lines([alone, runSql('mysql')]), sqlBytes(prepareStatements(member, found.server)));
    await on(keepTransactions(own));
    await copyData(on, {
      ...{ flavor: 'mysql', primary: donor.name, address: donor.address, port: member.port },
      ...{
        user: member.user,
        password: member.password,
        seedUser: member.user,
        seedPassword: member.password,
      },
      ...{ ca: member.ca, certificate: member.certificate, key: member.key, seedTimeout: member.seedTimeout },
      semiSync: false,
    });
    await on(endSeeding);
  } else if (ownState(found.server) !== 'RECOVERING') {
    await on(runOutside, sqlBytes(prepareStatements(member, found.server)));
  }
  if (how.kind === 'begin') await begin(on, how);
  else await join(on, member, how);
}

export const mysqlGroupMemberType = defineResource({
  name: 'mysql_group_member',
  summary:
    'A MySQL server that takes part in a group of Group Replication that has a majority. A group is begun only as `start` says; a server with transactions that the group lacks does not join',
  schema,
  key: ({ name }) => name,
  want: (member) => ({
    state: inGroup,
    user: member.user,
    password: member.password,
    writes: 'as its part says',
    relayLog: 'readable',
    start: told(member),
  }),
  probe: (batch) =>
    probeServer('mysql', batch, question, (rows) => batch.map((desired) => stateOf(parse(rows), desired))),
  apply: (changes) =>
    changes.map((change) => ({
      resources: [change.id],
      title: 'take part in the group',
      converse: (on) => takePart(on, change),
    })),
  order: { after: () => ['mysql_settings:mysql'], provides: () => false },
});

/** The server of this host in a group: `mysqlGroupMember('web2', { user: 'replication', … })`. */
export function mysqlGroupMember(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'>,
  options?: ResourceOptions,
): Resource {
  return declare(mysqlGroupMemberType, { name, ...attributes }, options);
}
