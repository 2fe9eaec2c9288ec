/** `hyperty registration`: prints the one file through which the fabric's services become part of a homeserver. */
import { FabricError } from '@hyperty/runtime';
import { registration, yamlText } from '@hyperty/synapse-config';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';

/** Where the services listen unless told otherwise. */
export const USUAL_SERVICES_URL = 'http://127.0.0.1:18880';

/** What `hyperty registration` takes. */
export interface RegistrationCommandOptions {
  readonly id: string;
  /** Where the homeserver reaches the services. */
  readonly url: string;
}

/**
 * Prints a new registration with new random tokens, as YAML with advice in comments.
 * @throws FabricError `invalid` when the URL is none
 */
export function printRegistration({ id, url }: RegistrationCommandOptions, terminal: Terminal): ExitCode {
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.search !== '')
    throw new FabricError('invalid', `"${url}" is no URL of the services: http(s)://host:port is expected.`);
  const text = yamlText(registration({ id, url: url.replace(/\/+$/, '') }));
  terminal.print(...ADVICE, text.trimEnd());
  return exitCodes.ok;
}

const ADVICE = [
  '# The services of the fabric as a part of this homeserver. The two tokens are secrets: let Synapse and the services alone read',
  '# this file. Name it in app_service_config_files of homeserver.yaml and restart Synapse; then start the services with it:',
  '#   hyperty services --registration THIS-FILE --homeserver http://127.0.0.1:8008',
];
