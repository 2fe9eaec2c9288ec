/**
 * How a homeserver of a world is started: through `launch.py`, which makes `*.localhost` names resolve to this
 * machine and ends Synapse when the process that started it is gone.
 */
import { fileURLToPath } from 'node:url';

/** Absolute path of the Python program that starts Synapse. */
export const launcherPath = fileURLToPath(new URL('../launch.py', import.meta.url));

/** Arguments for a Python that has Synapse, to run the homeserver configured in `configPath`. */
export function launchArguments(configPath: string): string[] {
  return [launcherPath, '--config-path', configPath];
}
