/** The fabric's road into a service: what comes to its address is dispatched for the account that the link has proven. */
import type { ServiceHandler } from '@hyperty/runtime';
import { callerAt } from './caller.ts';
import type { Dispatcher } from './dispatcher.ts';

/** Serves a dispatcher over the fabric. @param home the domain that is served */
export const fabricHandler = (dispatcher: Dispatcher, home: string): ServiceHandler => ({
  ask: ({ operation, input, envelope, signal }) =>
    dispatcher.call({ operation, input, caller: callerAt(envelope.from, home), signal }),
  follow: ({ operation, input, envelope, signal }, update) =>
    dispatcher.follow({ operation, input, caller: callerAt(envelope.from, home), signal }, update),
  runtimeLeft: (runtime) => {
    dispatcher.service.runtimeLeft?.(runtime).catch(() => undefined); // its lease runs out by itself
  },
});
