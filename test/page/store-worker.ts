/** A worker, dedicated or shared, that makes calls to its own stores. */
import { call, type Call } from './open-stores.ts';

type Port = Pick<MessagePort, 'postMessage'>;

const answer = async (port: Port, { name, method, values }: Call): Promise<void> =>
  port.postMessage(await call(name, method, ...values));

globalThis.addEventListener(
  'message',
  ({ data }) => void answer(globalThis as unknown as Port, data as Call),
);
// Only shared workers hear of this.
globalThis.addEventListener('connect', (event) => {
  const [port] = (event as MessageEvent).ports;
  if (port) port.onmessage = ({ data }) => void answer(port, data as Call);
});
