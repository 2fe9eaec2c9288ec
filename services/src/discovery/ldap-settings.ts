/** How a company's LDAP server is read. */
import { readFile } from 'node:fs/promises';

/** Attributes of a person's entry, by what they say. */
export interface LdapAttributes {
  /** The local part of the person's user id. Default `uid`. */
  readonly user: string;
  /** Default `cn`. */
  readonly name: string;
  /** Default `description`. */
  readonly headline: string;
  /** Default `ou`. */
  readonly organisation: string;
  /** Default `title`. */
  readonly role: string;
  /** May have several values. Default `employeeType`. */
  readonly skills: string;
  /** Default `l`. */
  readonly place: string;
}

/** What holds unless a company says otherwise: the attributes of `inetOrgPerson`. */
export const defaultLdapAttributes: LdapAttributes = {
  user: 'uid',
  name: 'cn',
  headline: 'description',
  organisation: 'ou',
  role: 'title',
  skills: 'employeeType',
  place: 'l',
};

/** Where a password comes from. It is read anew for each connection, so it can be changed while the service runs. */
export type PasswordSource = { readonly file: string } | { readonly variable: string };

/** How the server is reached, and who is in it. */
export interface LdapSettings {
  /** `ldaps://host:636`, or `ldap://host` with `startTls`. */
  readonly url: string;
  /** The own domain, of which the people are. */
  readonly domain: string;
  /** Who reads; with nobody, it is read anonymously. */
  readonly bindDn?: string;
  readonly password?: PasswordSource;
  /** Below which entry people are. */
  readonly base: string;
  /** Which entries are people. Default `(objectClass=inetOrgPerson)`. */
  readonly filter?: string;
  readonly attributes?: Partial<LdapAttributes>;
  /** Encrypts a connection to an `ldap://` server before anything is said. */
  readonly startTls?: boolean;
  /** Certificate authorities of the server, as PEM; default those of Node.js. */
  readonly ca?: string;
  /** Lets a password go unencrypted to another machine. */
  readonly isUnencryptedAllowed?: boolean;
  /** Changes are asked for this often. Default 60,000 ms. */
  readonly pollMs?: number;
  /** Everybody is read again this often, so that it is noticed who has left. Default 600,000 ms. */
  readonly reloadMs?: number;
  /** Entries of one page. Default 500. */
  readonly pageSize?: number;
  /** How long the server may take to answer. Default 10,000 ms. */
  readonly timeoutMs?: number;
}

/** @throws TypeError when settings contradict each other, or would send a password where everybody can read it */
export function checkLdapSettings({
  url,
  startTls,
  bindDn,
  password,
  isUnencryptedAllowed,
}: LdapSettings): void {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'ldap:' && protocol !== 'ldaps:')
    throw new TypeError(`An LDAP server has a URL ldap://… or ldaps://…, not ${protocol}//…`);
  if ((bindDn === undefined) !== (password === undefined))
    throw new TypeError('Give both bindDn and password, or neither.');
  const isSafe = protocol === 'ldaps:' || startTls === true || isLoopback(hostname);
  if (bindDn === undefined || isSafe || isUnencryptedAllowed === true) return;
  throw new TypeError(
    `The password would go to ${hostname} unencrypted; use ldaps://, or set startTls, or isUnencryptedAllowed.`,
  );
}

/** The password, without the line's end. @throws Error when it cannot be read; it does not say what was read */
export async function readPassword(source: PasswordSource): Promise<string> {
  if ('file' in source) return (await readFile(source.file, 'utf8')).replace(/\r?\n$/, '');
  const password = process.env[source.variable];
  if (password !== undefined) return password;
  throw new Error(
    `There is no variable ${source.variable}, which should have the password of the LDAP server.`,
  );
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || /^127\./.test(host);
