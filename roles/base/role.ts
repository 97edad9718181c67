import { defineRole } from 'hostwright';
import { admins } from './admins.ts';
import { journal } from './journal.ts';
import { kernel } from './kernel.ts';
import { names } from './names.ts';
import { packages } from './packages.ts';
import { reboot } from './reboot.ts';
import { rights } from './rights.ts';
import { ssh } from './ssh.ts';
import { time } from './time.ts';
import { variables } from './variables.ts';

export default defineRole({
  name: 'base',
  variables,
  actions: { reboot },
  resources: (context) =>
    [names, packages, time, admins, rights, ssh, journal, kernel].flatMap((part) => part(context)),
});
