/** Deploys a package in a page: a catalogue that gives what the test gave it, carol who deploys, alice who calls. */
import { createMemoryHub, createMemoryStore, createRuntime, runtimeAddress, SERVICE_DEVICE, SERVICE_OWNER_PREFIX, silentLogger, systemClock, type Runtime, type Store } from '@hyperty/runtime'; // prettier-ignore
import { deploy } from '@hyperty/runtime/catalogue';

/** What the catalogue answers to each operation. */
type Answers = Readonly<Record<string, unknown>>;

/** Deploys, asks, and gives the answer; or the code of what went wrong. */
export async function deployAndAsk(
  url: string,
  question: { type: string },
  answers: Answers,
): Promise<unknown> {
  const hub = createMemoryHub({ clock: systemClock });
  const start = async (owner: string, device = 'tab', store?: Store): Promise<Runtime> => {
    const address = runtimeAddress({ domain: 'acme.example', owner, device });
    const given = store ? { store } : {};
    const runtime = createRuntime({ protostubs: [hub.protostub(address)], logger: silentLogger, ...given });
    await runtime.start();
    return runtime;
  };
  const store = createMemoryStore({ clock: systemClock });
  const catalogue = await start(`${SERVICE_OWNER_PREFIX}catalogue`, SERVICE_DEVICE, store);
  catalogue.services.serve('catalogue', {
    ask: ({ operation }) => Promise.resolve(answers[operation]),
    follow: () => Promise.reject(new TypeError('nothing to follow')),
  });
  const [carol, alice] = [await start('carol'), await start('alice')];
  try {
    const { hosted } = await deploy(carol, url);
    return await alice.ask(hosted.address, question);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return { code, message };
  } finally {
    for (const runtime of [carol, alice, catalogue]) await runtime.stop({ drainMs: 0 });
  }
}
