/**
 * One two-company world on real homeservers for a whole test run, with a TCP proxy in front of each company's
 * federation port. It starts when the first test asks for it and stops after the last one.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logIn, type Session } from '@hyperty/bridge';
import { createWorld, type CompanyName, type Homeserver, type World } from '@hyperty/cli';
import { homeserverPaths } from '@hyperty/synapse-config';
import { accountPassword } from '../../cli/src/world/account.ts';
import { companyFolder } from '../../cli/src/world/company.ts';
import { freePorts } from './free-ports.ts';
import { createTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** One company as tests use it. */
export interface TestCompany {
  readonly serverName: string;
  /** Where clients connect. */
  readonly baseUrl: string;
  /** Logs a new device in to `@localpart:serverName`, making the account when there is none. */
  register(localpart: string): Promise<Session>;
  /** Logs in again as the device of `session`: its homeserver takes the old token no longer. */
  renew(session: Session): Promise<Session>;
  /** Its Synapse: `kill`, `start`, `stop`, `restart`. A test that kills it starts it again. */
  readonly homeserver: Homeserver;
  /** The registration file of its services, and the port where its homeserver looks for them. */
  readonly registrationFile: string;
  readonly servicesPort: number;
  /** Everything that other homeservers send to this one passes here. A test that cuts it heals it. */
  readonly federationIn: TcpProxy;
}

/** Two companies that federate through proxies. */
export interface TestWorld {
  readonly acme: TestCompany;
  readonly partner: TestCompany;
  stop(): Promise<void>;
}

let shared: Promise<TestWorld> | undefined;

/** The world that all tests of this run share. Call `requireSynapse` before. */
export function sharedWorld(): Promise<TestWorld> {
  shared ??= createTestWorld();
  return shared;
}

/** Stops the shared world, if it was ever started. Mocha does it after the last test. */
export async function stopSharedWorld(): Promise<void> {
  const stopping = shared;
  shared = undefined;
  await (await stopping?.catch(() => undefined))?.stop();
}

// Benchmarks use the shared world outside mocha and stop it themselves.
if (typeof after === 'function') {
  after('stop the shared world', async function () {
    this.timeout(20_000);
    await stopSharedWorld();
  });
}

/** A new world in a temporary folder. */
async function createTestWorld(): Promise<TestWorld> {
  const dir = await mkdtemp(join(tmpdir(), 'hyperty-world-'));
  const [acmeClient, acmeListener, partnerClient, partnerListener] = await freePorts(4);
  const proxies = {
    acme: await createTcpProxy({ targetPort: acmeListener }),
    partner: await createTcpProxy({ targetPort: partnerListener }),
  };
  const world = createWorld({
    dir,
    ports: {
      acme: { client: acmeClient, federation: proxies.acme.port, federationListener: acmeListener },
      partner: {
        client: partnerClient,
        federation: proxies.partner.port,
        federationListener: partnerListener,
      },
    },
  });
  const stop = async (): Promise<void> => {
    await world.stop();
    await Promise.all([proxies.acme.close(), proxies.partner.close()]);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await world.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    acme: testCompany({ world, dir, name: 'acme' }, proxies.acme),
    partner: testCompany({ world, dir, name: 'partner' }, proxies.partner),
    stop,
  };
}

function testCompany(
  { world, dir, name }: { world: World; dir: string; name: CompanyName },
  federationIn: TcpProxy,
): TestCompany {
  const { serverName, baseUrl, servicesPort } = world.company(name);
  return {
    serverName,
    baseUrl,
    registrationFile: homeserverPaths(companyFolder(dir, name)).registration,
    servicesPort,
    register: (localpart) => world.logIn(name, { localpart, deviceName: 'a test' }),
    renew: async ({ userId, deviceId }) => {
      const localpart = userId.slice(1, userId.indexOf(':'));
      const password = (await accountPassword(dir, world.company(name), localpart)) ?? '';
      return logIn({ baseUrl, user: localpart, password, deviceId, deviceName: 'a test' });
    },
    homeserver: world.homeserver(name),
    federationIn,
  };
}
