/** A runtime process as the harness sees it: it is started until it runs, obeys, and gets killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Command, FromProcess, Task, ToProcess } from './task.ts';
import { Victim } from './victim.ts';

const PROGRAM = join(import.meta.dirname, 'runtime-process.ts');
const PRELOAD = join(import.meta.dirname, 'clock-shift.ts');
const AGAIN_MS = 300;
const COMMAND_TIMEOUT_MS = 10_000;
/** The exit code of a process that said why it cannot start: its disk is full, or its homeserver is gone. */
const CANNOT_START = 3;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One runtime process. */
export class RuntimeVictim {
  readonly #victim: Victim;
  readonly #waiting = new Map<number, Waiting>();
  readonly #crashes: string[] = [];
  readonly #refusals: string[] = [];
  #isWanted = false;
  #lastId = 0;
  #clockOffsetMs = 0;
  #starting: Promise<void> | undefined;

  /** @param log file to which it prints */
  constructor(task: Task, log: string) {
    this.#victim = new Victim({
      program: process.execPath,
      args: ['--conditions=@hyperty/source', '--import', PRELOAD, PROGRAM],
      env: () => ({
        ...process.env,
        TASK: JSON.stringify(task),
        CLOCK_OFFSET_MS: String(this.#clockOffsetMs),
      }),
      log,
      ipc: true,
    });
  }

  /** Ends that nobody asked for. */
  get crashes(): readonly string[] {
    return this.#crashes;
  }

  /** Why it could not start, each time that it could not. */
  get refusals(): readonly string[] {
    return this.#refusals;
  }

  get pid(): number | undefined {
    return this.#victim.child?.pid;
  }

  /** Starts it, again and again until it runs or is killed. */
  start(): Promise<void> {
    this.#isWanted = true;
    return (this.#starting ??= this.#start().finally(() => (this.#starting = undefined)));
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#isWanted = false;
    await this.#victim.kill();
    await this.#starting;
  }

  freeze(): void {
    this.#victim.freeze();
  }

  thaw(): void {
    this.#victim.thaw();
  }

  /** Sets its wall clock off by so much, also in later lives. */
  shiftClock(offsetMs: number): void {
    this.#clockOffsetMs = offsetMs;
    this.#send({ clockOffsetMs: offsetMs });
  }

  /** @throws Error with what the process answered, when it ends, or after `timeoutMs` (10 s by default) */
  async obey<T>(command: Command, timeoutMs = COMMAND_TIMEOUT_MS): Promise<T> {
    const id = (this.#lastId += 1);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    const timer = setTimeout(() => reject(new Error(`no answer to "${command.do}"`)), timeoutMs);
    if (!this.#send({ id, command })) reject(new Error('it does not run'));
    try {
      return (await promise) as T;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** Ends it politely, and by force when it does not answer. */
  async close(): Promise<void> {
    this.#isWanted = false;
    await this.obey({ do: 'stop' }).catch(() => undefined);
    await this.#victim.close();
  }

  #send(message: ToProcess): boolean {
    const { child } = this.#victim;
    if (child?.connected !== true) return false;
    child.send(message, () => undefined); // one that has just died says so by its exit
    return true;
  }

  async #start(): Promise<void> {
    while (this.#isWanted && !this.#victim.child) {
      if (await this.#live(await this.#victim.spawn())) return;
      await sleep(AGAIN_MS);
    }
  }

  /** Settles with whether this life runs. */
  #live(child: ChildProcess): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    child.on('message', (message: FromProcess) => {
      if ('ready' in message) resolve(true);
      if ('failed' in message) this.#refusals.push(message.failed);
      if ('id' in message) this.#answered(message);
    });
    child.once('exit', (code, signal) => {
      if (this.#isWanted && code !== CANNOT_START)
        this.#crashes.push(`process ${child.pid} ended: ${code ?? signal}`);
      for (const { reject } of this.#waiting.values()) reject(new Error('it has ended'));
      resolve(false);
    });
    return promise;
  }

  #answered(message: Extract<FromProcess, { id: number }>): void {
    const waiting = this.#waiting.get(message.id);
    if ('error' in message) waiting?.reject(new Error(message.error));
    else waiting?.resolve(message.value);
  }
}
