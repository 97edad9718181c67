/** What the site declares beside that of the lab, so that there is something of every kind. */
export const declarations = `
base_admins:
  - name: anna
    comment: Anna Admin
    shell: /bin/bash
    keys:
      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBl2AbRmEN7dWkWcylQlQqYj8FhTHDnoFoK6jp/LGwWT anna@laptop
base_former_admins: [eve]
firewall_rules:
  - { action: deny, from: 203.0.113.0/24, why: noise }
mysql_databases: [reports]
`;
