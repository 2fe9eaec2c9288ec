/**
 * An OpenLDAP server for tests, as a process with a port and a folder of its own: the base of acme, an account that reads,
 * and TLS by an authority of its own. It gives no more than 100 entries that are not asked for page by page.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'ldapts';
import type { Context } from 'mocha';
import { createCertificateAuthority, createServerCertificate } from '@hyperty/synapse-config';
import { eventually } from './eventually.ts';
import { freePorts } from './free-ports.ts';
import { skip } from './skip.ts';
import { createTemporaryFolder, type TemporaryFolder } from './temporary-folder.ts';

/** A running server. */
export interface TestLdap {
  /** `ldap://…`, which takes StartTLS. */
  readonly url: string;
  readonly secureUrl: string;
  /** The authority that its certificate comes from, as PEM. */
  readonly ca: string;
  readonly base: string;
  readonly bindDn: string;
  readonly password: string;
  /** Adds or replaces a person. */
  put(uid: string, attributes: Readonly<Record<string, string | string[]>>): Promise<void>;
  remove(uid: string): Promise<void>;
  /** Ends it at once; its data stay. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its data. */
  close(): Promise<void>;
}

const BASE = 'dc=acme,dc=example';
const ADMIN = { dn: `cn=admin,${BASE}`, password: 'admin-of-a-test' };
const READER = { dn: `cn=reader,${BASE}`, password: 'reader-of-a-test' };
const SCHEMAS = ['core', 'cosine', 'inetorgperson'];
// Where Debian has them; the program itself may not be on the path of an ordinary user.
const SLAPD = {
  schemas: '/etc/ldap/schema',
  modules: '/usr/lib/ldap',
  path: `${process.env['PATH'] ?? ''}:/usr/sbin`,
};

/** Starts a server, or skips the suite with the reason. Call it first in `before`. */
export async function requireLdap(context: Context): Promise<TestLdap> {
  const env = { ...process.env, PATH: SLAPD.path };
  const version = await promisify(execFile)('slapd', ['-VV'], { env }).catch((error: unknown) => error);
  if ((version as { code?: unknown }).code === 'ENOENT')
    return skip(context, 'there is no OpenLDAP here: node setup.mjs --for tests installs it');
  return startLdap(env);
}

async function startLdap(env: NodeJS.ProcessEnv): Promise<TestLdap> {
  const folder = await createTemporaryFolder();
  const [port, securePort] = await freePorts(4); // two more than needed
  const url = `ldap://127.0.0.1:${port}`;
  const secureUrl = `ldaps://127.0.0.1:${securePort}`;
  const { config, ca } = await writeConfig(folder);
  let server: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  };
  const endWithUs = (): void => void server?.kill('SIGKILL');
  process.once('exit', endWithUs);
  const start = async (): Promise<void> => {
    server = spawn('slapd', ['-d', '0', '-f', config, '-h', `${url} ${secureUrl}`], { env, stdio: 'ignore' });
    await once(server, 'spawn');
    await eventually(
      () => asAdmin(url, () => Promise.resolve(true)).catch(() => false),
      'slapd answers',
      20_000,
    );
  };
  await start();
  await asAdmin(url, async (client) => {
    await client.add(BASE, { objectClass: ['dcObject', 'organization'], o: 'Acme', dc: 'acme' });
    const objectClass = ['organizationalRole', 'simpleSecurityObject'];
    await client.add(READER.dn, { objectClass, cn: 'reader', userPassword: READER.password });
  });
  return {
    url,
    secureUrl,
    ca,
    base: BASE,
    bindDn: READER.dn,
    password: READER.password,
    put: async (uid, attributes) => {
      await asAdmin(url, async (client) => {
        await client.del(dnOf(uid)).catch(() => undefined);
        await client.add(dnOf(uid), { objectClass: 'inetOrgPerson', uid, ...attributes });
      });
    },
    remove: (uid) => asAdmin(url, (client) => client.del(dnOf(uid))),
    kill,
    start,
    close: async () => {
      await kill();
      process.removeListener('exit', endWithUs);
      await folder.remove();
    },
  };
}

const dnOf = (uid: string): string => `uid=${uid},${BASE}`;

async function asAdmin<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ url, connectTimeout: 5000, timeout: 5000 });
  try {
    await client.bind(ADMIN.dn, ADMIN.password);
    return await work(client);
  } finally {
    await client.unbind().catch(() => undefined);
  }
}

async function writeConfig({ path }: TemporaryFolder): Promise<{ config: string; ca: string }> {
  const authority = await createCertificateAuthority('An authority for tests');
  const { certificatePem, privateKeyPem } = await createServerCertificate(authority, {
    hostNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
  });
  const [certificate, key, config] = [
    join(path, 'cert.pem'),
    join(path, 'key.pem'),
    join(path, 'slapd.conf'),
  ];
  const data = join(path, 'data');
  await mkdir(data);
  await writeFile(certificate, certificatePem);
  await writeFile(key, privateKeyPem, { mode: 0o600 });
  const lines = [
    ...SCHEMAS.map((schema) => `include ${SLAPD.schemas}/${schema}.schema`),
    `modulepath ${SLAPD.modules}`,
    'moduleload back_mdb',
    `TLSCertificateFile ${certificate}`,
    `TLSCertificateKeyFile ${key}`,
    'database mdb',
    `suffix "${BASE}"`,
    `rootdn "${ADMIN.dn}"`,
    `rootpw ${ADMIN.password}`,
    `directory ${data}`,
    'sizelimit size=100 size.prtotal=unlimited',
    'access to attrs=userPassword by anonymous auth by * none',
    `access to * by dn.exact="${READER.dn}" read by * none`,
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  return { config, ca: authority.certificatePem };
}
