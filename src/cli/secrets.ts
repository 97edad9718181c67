import { Command } from 'commander';
import { HostwrightError, formatPlace } from '../errors.ts';
import { inventoryPath } from '../inventory/locate.ts';
import { readInventory } from '../inventory/read.ts';
import { ensureIdentity, identityFile } from '../secrets/identity.ts';
import {
  checkSecrets,
  rotateSecrets,
  storeSecret,
  type Owner,
  type SecretsOf,
} from '../inventory/secrets.ts';
import { count } from '../report/layout.ts';
import { openSecret } from '../inventory/open-secret.ts';
import type { Secret } from '../secrets/secret.ts';
import { didYouMean } from '../suggestion.ts';
import { askSecret } from './ask-secret.ts';
import { editSecret } from './edit-secret.ts';
import { inventoryOption } from './options.ts';

export interface SecretsCommandContext {
  readonly write: (text: string) => void;
  readonly ask: (question: string) => Promise<Secret>;
  readonly edit: (name: string, value: Secret) => Promise<Secret>;
  readonly environment: NodeJS.ProcessEnv;
}

interface Options {
  readonly inventory?: string;
}

interface SetOptions extends Options {
  readonly group?: string;
  readonly host?: string;
}

const surroundings: SecretsCommandContext = {
  write: (text) => {
    process.stdout.write(text);
  },
  ask: (question) => askSecret(question, process.stdin, process.stderr),
  edit: (name, value) => editSecret(name, value, process.env),
  environment: process.env,
};

function verb(name: string, summary: string): Command {
  return new Command(name).description(summary).addOption(inventoryOption());
}

function ofOwner(command: Command): Command {
  return command
    .argument('<name>', 'variable name')
    .option('--group <group>', 'group that the variable belongs to (default: all)')
    .option('--host <host>', 'host that the variable belongs to');
}

/** The inventory, after a full read: a file that cannot be read would be left out. */
async function soundInventory(options: Options, context: SecretsCommandContext): Promise<SecretsOf> {
  const where = secretsOf(options, context);
  await readInventory(where.inventory);
  return where;
}

function secretsOf(options: Options, { environment }: SecretsCommandContext): SecretsOf {
  return {
    inventory: inventoryPath(options.inventory, environment),
    identity: identityFile(environment),
  };
}

async function ownerOf({ group, host }: SetOptions, inventoryFile: string): Promise<Owner> {
  if (group !== undefined && host !== undefined) {
    throw new HostwrightError('E_USAGE', 'a secret belongs to a group or to a host', {
      found: '--group and --host',
      hint: 'use only one of the two',
    });
  }
  const { hosts, groups } = await readInventory(inventoryFile);
  const owner: Owner =
    host === undefined ? { kind: 'group', name: group ?? 'all' } : { kind: 'host', name: host };
  const names = [...(owner.kind === 'host' ? hosts : groups).keys()];
  if (names.includes(owner.name)) return owner;
  throw new HostwrightError('E_USAGE', `the inventory has no ${owner.kind} ${owner.name}`, {
    hint: didYouMean(owner.name, names) ?? `${owner.kind}s: ${names.join(', ')}`,
  });
}

function checkName(name: string): void {
  if (/^[A-Za-z_]\w*$/.test(name)) return;
  throw new HostwrightError('E_USAGE', `"${name}" is not a valid variable name`, {
    expected: 'letters, digits and _, such as db_password',
  });
}

/** `hostwright secrets init | set | edit | rotate | check`. Rejects with HostwrightError or HostwrightErrors. */
export function secretsCommand(context: SecretsCommandContext = surroundings): Command {
  const { write } = context;
  const init = new Command('init')
    .description('create your identity if it does not exist, and print its public key')
    .action(async () => {
      const file = identityFile(context.environment);
      write(`${await ensureIdentity(file)}\n`);
    });
  const set = ofOwner(verb('set', 'encrypt and store a value, typed or from standard input')).action(
    async (name: string, options: SetOptions) => {
      checkName(name);
      const where = secretsOf(options, context);
      const owner = await ownerOf(options, where.inventory);
      const file = await storeSecret(where, owner, name, await context.ask(`${name} for ${owner.name}`));
      write(`${name} stored in ${file}\n`);
    },
  );
  const edit = ofOwner(verb('edit', 'edit a value with $VISUAL or $EDITOR')).action(
    async (name: string, options: SetOptions) => {
      checkName(name);
      const where = secretsOf(options, context);
      const secret = await openSecret(where, await ownerOf(options, where.inventory), name);
      const changed = await context.edit(name, secret.value);
      const isSame = changed.reveal() === secret.value.reveal();
      if (!isSame) await secret.store(changed);
      write(isSame ? `${name} unchanged\n` : `${name} updated in ${secret.file}\n`);
    },
  );
  const rotate = verb('rotate', 're-encrypt every secret for the current recipients').action(
    async (options: Options) => {
      const secrets = await rotateSecrets(await soundInventory(options, context));
      write(`${count(secrets, 'secret')} re-encrypted\n`);
    },
  );
  const check = verb(
    'check',
    'check that every secret can be decrypted, and find secrets in plain text',
  ).action(async (options: Options) => {
    const { encrypted, files, plain } = await checkSecrets(await soundInventory(options, context));
    for (const { name, place } of plain) {
      write(
        `${formatPlace(place)}: ${name} is in plain text; to encrypt it: hostwright secrets set ${name}\n`,
      );
    }
    write(`${count(encrypted, 'secret')} in ${count(files, 'file')}, all can be decrypted\n`);
  });
  return new Command('secrets')
    .description('encrypt, change and check the secrets of an inventory')
    .addCommand(init)
    .addCommand(set)
    .addCommand(edit)
    .addCommand(rotate)
    .addCommand(check);
}
