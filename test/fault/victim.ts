/** A process that the harness kills, freezes and starts again. What it prints is kept in a file. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';

/** How a process is started. */
export interface VictimOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: () => NodeJS.ProcessEnv;
  /** Appended to. */
  readonly log: string;
  /** Opens a channel for messages. */
  readonly ipc?: boolean;
}

/** One process, with as many lives as the harness gives it. */
export class Victim {
  readonly #options: VictimOptions;
  #child: ChildProcess | undefined;
  readonly #endWithUs = (): void => void this.#child?.kill('SIGKILL');

  constructor(options: VictimOptions) {
    this.#options = options;
    process.on('exit', this.#endWithUs);
  }

  /** The present life. */
  get child(): ChildProcess | undefined {
    return this.#child;
  }

  /** Begins a life, in a process group of its own: Ctrl-C reaches the harness alone. */
  async spawn(): Promise<ChildProcess> {
    const { program, args, env, log, ipc } = this.#options;
    const output = await open(log, 'a', 0o600);
    try {
      const child = spawn(program, args, {
        detached: true,
        stdio: ['ignore', output.fd, output.fd, ...(ipc ? (['ipc'] as const) : [])],
        env: env?.() ?? process.env,
      });
      this.#child = child;
      child.once('exit', () => {
        if (this.#child === child) this.#child = undefined;
      });
      await once(child, 'spawn');
      return child;
    } finally {
      await output.close();
    }
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Stops it where it is. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** Lets it go on. */
  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    await this.kill();
    process.off('exit', this.#endWithUs);
  }
}
