/** `/health`: this process lives. `/ready`: each of its parts works, or why it does not. Neither tells a secret. */
import { Router, type RequestHandler } from 'express';
import { sendJson } from './rest/answer.ts';

/** One part of what runs. */
export interface PartHealth {
  /** `registry`, `homeserver`, `store of the catalogue`. */
  readonly part: string;
  readonly isReady: boolean;
  /** Why it is not ready, or works less well than it should. */
  readonly reason?: string;
}

/** Looks at all parts when asked. */
export type Health = () => readonly PartHealth[] | Promise<readonly PartHealth[]>;

/** The two pages. @param health throws: not ready */
export function createHealthPages(health: Health): RequestHandler {
  const router = Router();
  router.get('/health', (_request, response) => {
    sendJson(response, { status: 'ok' });
  });
  router.get('/ready', async (_request, response) => {
    const parts = await look(health);
    const isReady = parts.every((part) => part.isReady);
    sendJson(response, { status: isReady ? 'ready' : 'not ready', parts }, isReady ? 200 : 503);
  });
  return router;
}

async function look(health: Health): Promise<readonly PartHealth[]> {
  try {
    return await health();
  } catch (error) {
    return [{ part: 'services', isReady: false, reason: error instanceof Error ? error.message : 'unknown' }];
  }
}
