/** How the commands for a domain's services are described. */
import { Option, type Command } from 'commander';
import { examples, LOG_LEVELS, type Choose } from './command-line.ts';
import {
  printRegistration,
  USUAL_SERVICES_URL,
  type RegistrationCommandOptions,
} from './command/registration.ts';
import { services, type ServicesOptions } from './command/services.ts';

/** Describes `registration` and `services`. */
export function describeServices(program: Command, choose: Choose): void {
  program
    .command('registration')
    .description("print a new registration file, which makes the fabric's services part of a homeserver")
    .option('--url <url>', 'where the homeserver reaches the services', USUAL_SERVICES_URL)
    .option('--id <id>', 'name among the registrations of the homeserver', 'hyperty')
    .addHelpText(
      'after',
      examples(
        'hyperty registration > fabric.yaml',
        'hyperty registration --url http://services.internal:18880 > fabric.yaml',
      ),
    )
    .action((options: RegistrationCommandOptions) =>
      choose(({ terminal }) => Promise.resolve(printRegistration(options, terminal))),
    );
  describeRunning(program, choose);
}

function describeRunning(program: Command, choose: Choose): void {
  program
    .command('services')
    .description("run a domain's catalogue, registry and discovery beside its homeserver, until Ctrl-C")
    .option('--registration <file>', 'the registration that the homeserver has read', 'fabric.yaml')
    .option('--homeserver <url>', 'client API of the homeserver', 'http://127.0.0.1:8008')
    .option(
      '--listen <address>',
      "port, or host:port (default: the port of the registration's url, on 127.0.0.1)",
    )
    .option('--data <folder>', 'folder of the stores', 'hyperty-data')
    .option('--store <redis>', 'redis://… in place of files, for several processes of one domain')
    .option('--partner <domain...>', 'domains that discovery asks too')
    .option(
      '--company <file>',
      'YAML or JSON: what the company says of its directory (see docs/discovery.md)',
    )
    .option('--ca <file>', 'certificate authority of partners, besides the public ones')
    .option('--allow-private', 'ask homeservers of partners at private addresses too')
    .addOption(
      new Option('--log-level <level>', 'the least that is logged').choices(LOG_LEVELS).default('warn'),
    )
    .addHelpText(
      'after',
      examples(
        'hyperty services --registration fabric.yaml --homeserver http://127.0.0.1:8008',
        'hyperty services --store redis://127.0.0.1:6379 --partner partner.example other.example',
      ),
    )
    .action((options: ServicesOptions) => choose((context) => services(options, context)));
}
