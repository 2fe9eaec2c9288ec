/** The services of a company of the shared world, hosted in the process of the test. */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createMatrixProtostub } from '@hyperty/bridge';
import { silentLogger, type Logger } from '@hyperty/runtime';
import { parseYaml } from '@hyperty/synapse-config';
import express from 'express';
import { DomainHost, type HostedService } from '../../services/src/domain/domain-host.ts';
import { parseRegistration, type Registration } from '../../services/src/domain/registration.ts';
import type { TestCompany } from './world.ts';

/** A host that runs. */
export interface TestHost {
  readonly host: DomainHost;
  readonly registration: Registration;
  stop(): Promise<void>;
}

/** The registration of a company's services. */
export const registrationOf = async ({ registrationFile }: TestCompany): Promise<Registration> =>
  parseRegistration(parseYaml(await readFile(registrationFile, 'utf8')), registrationFile);

/** Hosts services; `listens: false` for a second process, to which the homeserver does not push. */
export async function startHost(
  company: TestCompany,
  services: readonly HostedService[],
  { logger = silentLogger, listens = true }: { readonly logger?: Logger; readonly listens?: boolean } = {},
): Promise<TestHost> {
  const registration = await registrationOf(company);
  const host = new DomainHost({
    registration,
    homeserverUrl: company.baseUrl,
    domain: company.serverName,
    services,
    createProtostub: (session, renew) => createMatrixProtostub({ session, renew, masquerades: true }),
    dispatching: {},
    logger,
  });
  const server = listens ? await listen(host, company.servicesPort) : undefined;
  const stop = async (): Promise<void> => {
    await host.stop();
    server?.closeAllConnections();
    server?.close();
  };
  try {
    await host.start();
    return { host, registration, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function listen(host: DomainHost, port: number): Promise<Server> {
  const server = createServer(express().use(host.applicationService.routes) as never);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}
