/** A homeserver that knows nothing of the fabric: no application service, ordinary accounts. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { Session } from '@hyperty/bridge';
import { homeserverPaths, launchArguments, parseYaml, readHomeserverSecrets, writeHomeserverConfig, writeHomeserverIdentity, yamlText } from '@hyperty/synapse-config'; // prettier-ignore
import { eventually } from './eventually.ts';

/** A plain Synapse in a folder. */
export interface PlainHomeserver {
  readonly baseUrl: string;
  readonly domain: string;
  /** Starts it, with these registration files and no others, and waits until it answers. */
  start(registrations?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
  register(localpart: string): Promise<Session>;
}

/** Writes its files; nothing runs yet. */
export async function createPlainHomeserver(options: {
  readonly folder: string;
  readonly python: string;
  readonly port: number;
}): Promise<PlainHomeserver> {
  const { folder, python, port } = options;
  const [baseUrl, domain] = [`http://127.0.0.1:${port}`, 'plain.example'];
  const paths = homeserverPaths(folder);
  await writeHomeserverIdentity(folder);
  await writeHomeserverConfig(folder, {
    profile: 'world',
    serverName: domain,
    publicBaseUrl: `${baseUrl}/`,
    clientPort: port,
  });
  const { registrationSharedSecret } = await readHomeserverSecrets(folder);
  let child: ChildProcess | undefined;
  return {
    baseUrl,
    domain,
    start: async (registrations = []) => {
      const config = parseYaml(await readFile(paths.config, 'utf8')) as Record<string, unknown>;
      await writeFile(paths.config, yamlText({ ...config, app_service_config_files: [...registrations] }));
      const env = { ...process.env, HYPERTY_STARTER_PID: String(process.pid) };
      child = spawn(python, launchArguments(paths.config), { cwd: folder, stdio: 'ignore', env });
      await eventually(
        async () => (await fetch(`${baseUrl}/health`).catch(() => undefined))?.ok === true,
        'it answers',
      );
    },
    stop: async () => {
      if (child?.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
    register: async (localpart) => {
      const url = `${baseUrl}/_synapse/admin/v1/register`;
      const { nonce } = (await (await fetch(url)).json()) as { nonce: string };
      const mac = createHmac('sha1', registrationSharedSecret);
      mac.update([nonce, localpart, 'a password', 'notadmin'].join('\0'));
      const body = {
        nonce,
        username: localpart,
        password: 'a password',
        admin: false,
        mac: mac.digest('hex'),
      };
      const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
      const answer = (await response.json()) as Record<'user_id' | 'device_id' | 'access_token', string>;
      const { user_id: userId, device_id: deviceId, access_token: accessToken } = answer;
      return { baseUrl, userId, deviceId, accessToken };
    },
  };
}
