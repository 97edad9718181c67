import {
  fileContent,
  fileCount,
  filePath,
  items,
  lineCount,
  linesFile,
  lineText,
  packages,
  services,
  userCount,
  userId,
  userName,
} from './items.ts';

type Task = Readonly<Record<string, unknown>>;

/** The play of the 101 items, as Ansible's own documentation has one write each of them. */
export function playbook(): string {
  const tasks: readonly Task[] = [
    ...items(fileCount).map((item) => ({
      name: `file ${item.index}`,
      'ansible.builtin.copy': {
        dest: filePath(item),
        content: fileContent(item, '{{ inventory_hostname }}', '{{ bench_word }}'),
        mode: '0644',
      },
    })),
    ...packages.map((name) => ({
      name: `pkg ${name}`,
      'ansible.builtin.apt': { name, state: 'present', install_recommends: false },
    })),
    ...items(userCount).map((item) => ({
      name: `user ${item.index}`,
      'ansible.builtin.user': { name: userName(item), shell: '/bin/bash', uid: userId(item) },
    })),
    ...items(lineCount).map((item) => ({
      name: `line ${item.index}`,
      'ansible.builtin.lineinfile': {
        path: linesFile,
        create: true,
        mode: '0644',
        line: lineText(item),
        regexp: `^${lineText(item)}$`,
      },
    })),
    ...services.map((name) => ({
      name: `svc ${name}`,
      // Not ansible.builtin.service, which asks for the same by way of facts that this Mitogen cannot carry.
      'ansible.builtin.systemd': { name, state: 'started' },
    })),
  ];
  return JSON.stringify([{ hosts: 'all', gather_facts: true, tasks }], null, 1);
}

export interface AnsibleSetup {
  readonly mitogen: boolean;
  /** Where its sockets are. */
  readonly folder: string;
}

/** ansible.cfg with pipelining, and connections that stay open between tasks. */
export function configuration({ mitogen, folder }: AnsibleSetup): string {
  const strategy = mitogen ? 'strategy = mitogen_linear\n' : '';
  return `[defaults]
${strategy}gathering = smart
forks = 10
nocows = true
retry_files_enabled = false
[connection]
pipelining = true
[ssh_connection]
pipelining = true
control_path_dir = ${folder}/cp
ssh_args = -o ControlMaster=auto -o ControlPersist=60s
`;
}
