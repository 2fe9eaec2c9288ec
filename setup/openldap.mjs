// Step: the programs of an OpenLDAP server. Tests start it themselves, on ports and in folders of their own.

import { createDebianPackageStep } from './debian-packages.mjs';

export const openldapStep = createDebianPackageStep({
  id: 'openldap',
  name: 'OpenLDAP',
  without: 'tests that need an LDAP server are skipped',
  // Second: seen from /usr/bin, for people whose path leaves /usr/sbin out.
  programs: ['slapd', '../sbin/slapd'],
  packages: {
    apt: 'slapd',
    dnf: 'openldap-servers',
    pacman: 'openldap',
    apk: 'openldap',
    zypper: 'openldap2',
    brew: 'openldap',
  },
  service: 'slapd',
});
