/**
 * A company of the world: its names, ports and folder, as they were decided when the world was made.
 */
import { join } from 'node:path';
import { findFreePort } from './port.ts';

/** The two companies of a world. */
export type CompanyName = 'acme' | 'partner';

/** Both companies, in the order in which they are shown. */
export const companyNames: readonly CompanyName[] = ['acme', 'partner'];

/** Ports of one company's homeserver and services, all on 127.0.0.1. */
export interface CompanyPorts {
  /** Plain HTTP for clients. */
  readonly client: number;
  /** The TLS port in the server name, to which other homeservers connect. */
  readonly federation: number;
  /** The TLS port on which Synapse listens, where something forwards to it; the same as `federation` by default. */
  readonly federationListener?: number;
  /** Plain HTTP of the company's services; a free one by default. */
  readonly services?: number;
}

/** One company as it is written into the world's file. */
export interface Company {
  readonly name: CompanyName;
  /** The domain in Matrix ids and hyperty addresses, e.g. `acme.localhost:18481`. */
  readonly serverName: string;
  /** Where its Matrix clients connect, e.g. `http://127.0.0.1:18081`. */
  readonly baseUrl: string;
  /** Localpart of the person who has an account there: alice at acme, bob at partner. */
  readonly person: string;
  readonly clientPort: number;
  /** The TLS port on which Synapse listens. */
  readonly federationPort: number;
  /** Where its services listen. */
  readonly servicesPort: number;
}

const PREFERRED_PORTS: Record<CompanyName, Required<Omit<CompanyPorts, 'federationListener'>>> = {
  acme: { client: 18_081, federation: 18_481, services: 18_881 },
  partner: { client: 18_082, federation: 18_482, services: 18_882 },
};

const PERSONS: Record<CompanyName, string> = { acme: 'alice', partner: 'bob' };

/** Decides both companies' ports, the usual ones where they are free, and with them their names. */
export async function planCompanies(
  ports?: Readonly<Record<CompanyName, CompanyPorts>>,
): Promise<readonly Company[]> {
  const taken = new Set<number>();
  const companies: Company[] = [];
  for (const name of companyNames) {
    const given = ports?.[name] ?? (await freePorts(name, taken));
    const services = given.services ?? (await findFreePort(PREFERRED_PORTS[name].services, taken));
    companies.push(planCompany(name, { ...given, services }));
  }
  return companies;
}

/** The folder of a company's homeserver in the world at `dir`. */
export function companyFolder(dir: string, name: CompanyName): string {
  return join(dir, name);
}

/** The Matrix id of an account of this company. */
export function userId(company: Company, localpart: string): string {
  return `@${localpart}:${company.serverName}`;
}

async function freePorts(name: CompanyName, taken: Set<number>): Promise<CompanyPorts> {
  const preferred = PREFERRED_PORTS[name];
  return {
    client: await findFreePort(preferred.client, taken),
    federation: await findFreePort(preferred.federation, taken),
  };
}

function planCompany(name: CompanyName, ports: CompanyPorts & { readonly services: number }): Company {
  return {
    name,
    serverName: `${name}.localhost:${String(ports.federation)}`,
    baseUrl: `http://127.0.0.1:${String(ports.client)}`,
    person: PERSONS[name],
    clientPort: ports.client,
    federationPort: ports.federationListener ?? ports.federation,
    servicesPort: ports.services,
  };
}

/** Where a company's services answer, for its homeserver and over REST. */
export const servicesUrl = ({ servicesPort }: Company): string => `http://127.0.0.1:${String(servicesPort)}`;

/** The company of that name. @throws TypeError when it is not among `companies` */
export function companyNamed(companies: readonly Company[], name: CompanyName): Company {
  const found = companies.find((company) => company.name === name);
  if (found === undefined) throw new TypeError(`no company ${name} in this world`);
  return found;
}
