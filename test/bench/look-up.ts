/**
 * Look-ups of a registry through the fabric, of the own company's and of a partner's, against two raw to-device sends on the same
 * homeservers. The registries are those of `hyperty services`, a process for each company, with visibility, limits and metrics.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  discoveryContract,
  hypertyAddress,
  registryContract,
  runtimeParts,
  type Runtime,
} from '@hyperty/runtime';
import { freePorts } from '../support/free-ports.ts';
import { createServicesCommands } from '../support/services-command.ts';
import { sharedWorld, type TestCompany } from '../support/world.ts';
import { createPair, type Pair } from './pair.ts';
import type { Figure } from './report.ts';
import { figuresOf, rawQuestion, takeTurns, type Samples } from './turns.ts';

const BAR = 1.3;

/** Look-ups at the own company and at a partner: p50, p95. */
export async function benchLookUp(): Promise<Figure[]> {
  const { acme, partner } = await sharedWorld();
  const folder = await mkdtemp(join(tmpdir(), 'hyperty-bench-'));
  const services = createServicesCommands();
  try {
    const ports = await freePorts(4);
    for (const [n, company] of [acme, partner].entries()) {
      const data = join(folder, company.serverName);
      await services.start(company, ['--listen', String(ports[n]), '--data', data]);
    }
    return [
      ...(await measure('registry look-up, own company', [acme, acme])),
      ...(await measure('registry look-up, a partner', [acme, partner])),
    ];
  } finally {
    await services.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(title: string, companies: [TestCompany, TestCompany]): Promise<Figure[]> {
  const pair = await createPair(...companies, companies[0] === companies[1] ? 'look-up-own' : 'look-up-far');
  try {
    return figuresOf(title, await lookUpInTurns(pair), { percentiles: [0.5, 0.95], bar: BAR });
  } finally {
    await pair.stop();
  }
}

/** The raw question and its answer say what the registry is asked and what it answers. */
async function lookUpInTurns({ a, b }: Pair): Promise<Samples> {
  const question = { address: await register(b.runtime, runtimeParts(a.runtime.address).domain) };
  const registry = a.runtime.services.at(registryContract, runtimeParts(b.runtime.address).domain);
  const answer = await registry.call('look-up', question);
  return takeTurns({
    fabric: () => registry.call('look-up', question),
    raw: rawQuestion({ asker: a.raw, answerer: b.raw }, { question, answer }),
  });
}

/** Registers a hyperty that the asking domain may see. */
async function register({ address: self, services }: Runtime, asking: string): Promise<string> {
  const { domain, owner } = runtimeParts(self);
  const visibility = { identity: 'partners', presence: 'partners' } as const;
  await services.at(discoveryContract).call('publish-profile', { visibility, partners: [asking] });
  const address = hypertyAddress({ domain, owner, name: 'chat' });
  const entry = { address, descriptor: 'chat@1.0.0', resources: ['chat', 'video'] };
  const input = { runtime: self, entries: [entry], leaseSeconds: 3600 };
  await services.at(registryContract).call('register', input);
  return address;
}
