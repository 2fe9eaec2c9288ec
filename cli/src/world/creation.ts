/**
 * Makes what a world is on disk: a certificate authority of its own, and the identity of both homeservers.
 */
import { rm } from 'node:fs/promises';
import {
  createCertificateAuthority,
  createServerCertificate,
  writeFileAtomically,
  writeHomeserverIdentity,
} from '@hyperty/synapse-config';
import { companyFolder, companyNames, servicesUrl, type Company } from './company.ts';
import { beginWorld, worldPaths } from './world-file.ts';

/**
 * Writes all keys, certificates and secrets of a new world. The authority's private key is used here and never
 * stored: nothing signed by it can appear later.
 */
export async function writeWorldFiles(dir: string, companies: readonly Company[]): Promise<void> {
  await beginWorld(dir);
  const authority = await createCertificateAuthority('hyperty local world');
  await writeFileAtomically(worldPaths(dir).ca, authority.certificatePem);
  for (const company of companies) {
    const { name, serverName } = company;
    const tls = await createServerCertificate(authority, {
      hostNames: [serverName.replace(/:\d+$/, ''), 'localhost'],
      ipAddresses: ['127.0.0.1'],
    });
    await writeHomeserverIdentity(companyFolder(dir, name), {
      tls,
      registration: { url: servicesUrl(company) },
    });
  }
}

/** Removes what an interrupted creation left, and only that. */
export async function removeHalfWrittenWorld(dir: string): Promise<void> {
  for (const name of companyNames) await rm(companyFolder(dir, name), { recursive: true, force: true });
  await rm(worldPaths(dir).ca, { force: true });
}
