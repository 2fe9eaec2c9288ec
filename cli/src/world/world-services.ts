/** The services of both companies of a world. */
import type { FabricError } from '@hyperty/runtime';
import { companyNames, servicesUrl, type CompanyName } from './company.ts';
import { step, type Progress } from './progress.ts';
import { startServices, type ServicesProcess } from './services-process.ts';
import type { OpenWorld } from './open-world.ts';

/** Who hears what. */
export interface WorldServicesOptions {
  readonly progress: Progress;
  readonly onCrash: (error: FabricError) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Services that run. */
export interface WorldServices {
  readonly processes: Readonly<Record<CompanyName, ServicesProcess>>;
  stop(): Promise<void>;
}

/**
 * Starts the services of both companies at once.
 * @throws FabricError of the first that does not start, after stopping the other
 */
export async function startWorldServices(
  world: OpenWorld,
  { progress, onCrash, signal }: WorldServicesOptions,
): Promise<WorldServices> {
  const where = companyNames
    .map((name) => `${name} (${servicesUrl(world.company(name))}/docs)`)
    .join(' and ');
  return step(progress, `started the services of ${where}`, async () => {
    const starts = await Promise.allSettled(
      companyNames.map((name) => {
        const partners = companyNames
          .filter((other) => other !== name)
          .map((other) => world.company(other).serverName);
        return startServices({ dir: world.dir, company: world.company(name), partners, signal });
      }),
    );
    const started = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    const stop = async (): Promise<void> => {
      await Promise.all(started.map((process) => process.stop()));
    };
    const failed = starts.find((start) => start.status === 'rejected');
    const [acme, partner] = started;
    if (failed || !acme || !partner) {
      await stop();
      throw failed?.reason;
    }
    for (const process of started) process.onCrash(onCrash);
    return { processes: { acme, partner }, stop };
  });
}
