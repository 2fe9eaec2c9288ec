/** TEMPORARY until REST is here. */
import { createServer } from 'node:http';
import express from 'express';
import type { DomainHost } from './domain-host.ts';

export async function listen(host: DomainHost, { host: hostname, port }: { host: string; port: number }) {
  const server = createServer(express().use(host.applicationService.routes) as never);
  await new Promise<void>((resolve) => server.listen(port, hostname, resolve));
  return {
    url: `http://${hostname}:${port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
