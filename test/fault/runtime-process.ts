/**
 * A process with a runtime on Matrix that hosts durable couriers and tallies, for the fault harness. It obeys commands over
 * the channel to its starter and ends with it. The environment variable `TASK` holds a {@link Task} as JSON.
 */
import { createMatrixProtostub } from '@hyperty/bridge';
import { createRuntime, FabricError, type Runtime, type Store } from '@hyperty/runtime';
import { createFileStorage, createLogger, createSqliteStore } from '@hyperty/runtime/node';
import { createRedisStore } from '@hyperty/services';
import { createCourier, createTally, type CourierState, type TallyState } from './hyperties.ts';
import type { Command, FromProcess, Inspected, SideReport, StorePlace, Task, ToProcess } from './task.ts';

const REPORT_TIMEOUT_MS = 5000;

const task = JSON.parse(process.env['TASK'] ?? '{}') as Task;
const logger = createLogger({ level: process.env['FAULT_LOG'] === 'debug' ? 'debug' : 'info' });

const say = (message: FromProcess): void => {
  if (process.connected) process.send?.(message);
};

async function record(by: string, key: string): Promise<void> {
  const answer = await fetch(task.recorderUrl, {
    method: 'POST',
    headers: { 'idempotency-key': key },
    body: by,
  });
  await answer.arrayBuffer();
}

const openStore = (place: StorePlace): Promise<Store> =>
  place.kind === 'sqlite' ? createSqliteStore({ file: place.file }) : createRedisStore({ ...place, logger });

const courier = createCourier(record);
const tally = createTally(record);

class Host {
  readonly #runtime: Runtime;
  readonly #store: Store;
  readonly #couriers;
  readonly #tallies;

  constructor(store: Store) {
    this.#store = store;
    this.#runtime = createRuntime({
      protostubs: [createMatrixProtostub({ session: task.session, logger })],
      logger,
      store,
      storage: createFileStorage(task.folder),
      durable: { passivateAfterMs: task.passivateAfterMs },
    });
    this.#couriers = this.#runtime.hostKind(courier);
    this.#tallies = this.#runtime.hostKind(tally);
  }

  start(): Promise<void> {
    return this.#runtime.start();
  }

  async obey(command: Command): Promise<unknown> {
    switch (command.do) {
      case 'create':
        for (const name of command.couriers) await this.#couriers.create(name, { input: { name } });
        for (const name of command.tallies) await this.#tallies.create(name, { input: { name } });
        return undefined;
      case 'start':
        return this.#runtime.ask(this.#couriers.at(command.courier), { type: 'start', ...command.load });
      case 'report':
        return this.#report(command.couriers, command.tallies);
      case 'ask':
        return this.#runtime.ask(
          tally.at(command.address),
          { type: 'read' },
          { timeoutMs: command.timeoutMs },
        );
      case 'inspect':
        return this.#inspect();
      case 'stop':
        await this.#runtime.stop();
        await this.#store.close();
        return undefined;
    }
  }

  async #report(couriers: readonly string[], tallies: readonly string[]): Promise<SideReport> {
    const options = { timeoutMs: REPORT_TIMEOUT_MS };
    const askCourier = async (name: string): Promise<[string, CourierState]> => [name, await this.#runtime.ask(this.#couriers.at(name), { type: 'read' }, options)]; // prettier-ignore
    const askTally = async (name: string): Promise<[string, TallyState]> => [name, await this.#runtime.ask(this.#tallies.at(name), { type: 'read' }, options)]; // prettier-ignore
    return {
      couriers: Object.fromEntries(await Promise.all(couriers.map(askCourier))),
      tallies: Object.fromEntries(await Promise.all(tallies.map(askTally))),
    };
  }

  #inspect(): Inspected {
    const { hyperties, links, outgoing = 0 } = this.#runtime.inspect();
    return {
      outgoing,
      awake: Object.fromEntries(hyperties.map(({ address, status, reason }) => [address, reason ?? status])),
      links: links.map((link) => JSON.stringify(link)),
      deadLetters: this.#runtime.deadLetters.list().map(({ envelope, error }) => `${envelope.type} ${envelope.from} → ${envelope.to}: ${error.message}`), // prettier-ignore
    };
  }
}

async function main(): Promise<void> {
  const host = new Host(await openStore(task.store));
  await host.start();
  process.on('message', (message: ToProcess) => {
    if (!('command' in message)) return;
    const { id, command } = message;
    host.obey(command).then(
      (value) => say({ id, value }),
      (error: unknown) => say({ id, error: FabricError.from(error).message }),
    );
  });
  say({ ready: true });
}

process.on('disconnect', () => process.exit(0));
main().catch((error: unknown) => {
  logger.error({ error }, 'the runtime process could not start');
  process.send?.({ failed: FabricError.from(error).message } satisfies FromProcess, () => process.exit(3));
});
