/** A protostub between a process and its child, over the channel that Node.js gives them: for tests that kill one of them. */
import type { FrameContent, FrameListener, Protostub, RuntimeAddress } from '@hyperty/runtime';

/** What both ends have: the child as its parent sees it, and `process` in the child. */
interface Channel {
  send?(message: unknown, done: (error: Error | null) => void): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

/** A protostub whose channel may break and be replaced; what is sent while there is none is lost. */
export interface ProcessProtostub extends Protostub {
  attach(channel: Channel): void;
  detach(): void;
}

/** Creates the stub of one end. */
export function createProcessProtostub(address: RuntimeAddress, peer: RuntimeAddress): ProcessProtostub {
  const listeners = new Set<FrameListener>();
  let current: Channel | undefined;
  return {
    name: 'process',
    address,
    state: 'live',
    maxFrameBytes: 48 * 1024,
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    reaches: (other) => other.split('/')[2] === peer.split('/')[2],
    send: (frame: FrameContent) =>
      new Promise((resolve) => {
        if (!current?.send) resolve();
        else
          current.send(frame, () => {
            resolve();
          });
      }),
    onFrame: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onState: () => () => undefined,
    attach(channel) {
      current = channel;
      channel.on('message', (frame) => {
        for (const listener of listeners) listener(frame, peer);
      });
    },
    detach() {
      current = undefined;
    },
  };
}
