/** People with runtimes on the homeservers of the shared world. */
import { createMatrixProtostub, type MatrixProtostubOptions, type Session } from '@hyperty/bridge';
import {
  createRuntime,
  type Logger,
  type Protostub,
  type Runtime,
  type RuntimeOptions,
} from '@hyperty/runtime';
import type { TestCompany } from './world.ts';

/** A line of a runtime's log. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** One person at one device. */
export interface Person {
  readonly session: Session;
  readonly runtime: Runtime;
  readonly protostub: Protostub;
  /** What the runtime has logged. */
  readonly log: readonly LogLine[];
}

/** How a person's runtime differs from an ordinary one. */
export interface PersonOptions {
  /** Device to use; a new one by default. */
  readonly session?: Session;
  readonly protostub?: Omit<MatrixProtostubOptions, 'session'>;
  readonly runtime?: Omit<RuntimeOptions, 'protostubs'>;
}

/** Starts people and stops them all. */
export interface People {
  /** Starts a runtime of `localpart` at `company`. @throws FabricError as its start does */
  start(company: TestCompany, localpart: string, options?: PersonOptions): Promise<Person>;
  /** Stops everybody. */
  stop(): Promise<void>;
}

/** Nobody at first. */
export function createPeople(): People {
  const runtimes: Runtime[] = [];
  return {
    async start(company, localpart, options = {}) {
      const session = options.session ?? (await company.register(localpart));
      const log: LogLine[] = [];
      const protostub = createMatrixProtostub({ session, ...options.protostub });
      const runtime = createRuntime({
        protostubs: [protostub],
        logger: recordingLogger(log),
        ...options.runtime,
      });
      runtimes.push(runtime);
      await runtime.start();
      return { session, runtime, protostub, log };
    },
    async stop() {
      await Promise.all(runtimes.splice(0).map((runtime) => runtime.stop({ drainMs: 0 })));
    },
  };
}

/** Keeps every line in `lines`. */
export function recordingLogger(lines: LogLine[]): Logger {
  const at =
    (level: LogLine['level']) =>
    (fields: LogLine['fields'], message: string): void => {
      lines.push({ level, message, fields });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
