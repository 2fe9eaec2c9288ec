/** `hyperty services` as a process, for a company of the shared world. */
import { startCommand, type RunningCommand } from './hyperty-command.ts';
import type { TestCompany } from './world.ts';

/** Processes of one suite. */
export interface ServicesCommands {
  /** Starts one and waits until it is ready. */
  start(company: TestCompany, more: readonly string[]): Promise<RunningCommand>;
  /** Ends all in good order. */
  stop(): Promise<void>;
}

/** Starts processes and stops them all. */
export function createServicesCommands(): ServicesCommands {
  const running = new Set<RunningCommand>();
  return {
    start: async ({ registrationFile, baseUrl }, more) => {
      const command = startCommand([
        ...['services', '--registration', registrationFile, '--homeserver', baseUrl],
        ...more,
      ]);
      running.add(command);
      void command.ended.then(() => running.delete(command));
      await command.until(/Ctrl-C ends it/);
      return command;
    },
    stop: async () => {
      for (const command of running) command.kill('SIGTERM');
      await Promise.all([...running].map((command) => command.ended));
    },
  };
}
