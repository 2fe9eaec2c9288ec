/** Ports for servers that tests start. */
import { createServer, type AddressInfo } from 'node:net';

interface Ports {
  readonly 1: [number];
  readonly 4: [number, number, number, number];
}

/** Ports of 127.0.0.1 that are free now: all are held at once, so that they differ, and then given back. */
export async function freePorts<N extends keyof Ports>(count: N): Promise<Ports[N]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports as Ports[N];
}
