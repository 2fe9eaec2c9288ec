/**
 * The `hyperty` command line: which commands and options there are, their help texts, and what exit code each outcome
 * gives. The work is done in `command/`.
 */
import { Command, CommanderError, Option } from 'commander';
import { FabricError } from '@hyperty/runtime';
import { doctor, type DoctorCommandOptions } from './command/doctor.ts';
import { down } from './command/down.ts';
import { inspect, type InspectOptions } from './command/inspect.ts';
import { listParked, unpark, type ParkedOptions } from './command/parked.ts';
import { run, type RunOptions } from './command/run.ts';
import { status } from './command/status.ts';
import { backUpStore, checkStore, restoreStore } from './command/store.ts';
import { DEFAULT_DIR, up, type UpOptions } from './command/up.ts';
import {
  addCredentials,
  examples,
  LOG_LEVELS,
  parsePort,
  type Action,
  type Choose,
  version,
} from './command-line.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { createInterruption, type Interruption } from './interruption.ts';
import { describeServices } from './services-commands.ts';
import { describePublishing } from './publishing-commands.ts';
import { createTerminal, type Terminal } from './terminal.ts';

/** Runs the command with these arguments and returns its exit code. Never throws. */
export async function main(args: readonly string[]): Promise<ExitCode> {
  const terminal = createTerminal();
  let action: Action | undefined;
  const program = describeProgram((chosen) => {
    action = chosen;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    terminal.printError(error);
    return exitCodes.failed;
  }
  return action === undefined ? exitCodes.usage : perform(action, terminal);
}

async function perform(action: Action, terminal: Terminal): Promise<ExitCode> {
  const interruption = createInterruption(() => {
    terminal.printProgress({ kind: 'note', text: 'stopping (once more to stop at once)' });
  });
  try {
    return await action({ terminal, interruption });
  } catch (error) {
    if (interruption.exitCode !== undefined && isInterruption(error, interruption))
      return interruption.exitCode;
    terminal.printError(error);
    return exitCodes.failed;
  } finally {
    interruption.dispose();
  }
}

function isInterruption(error: unknown, { signal }: Interruption): boolean {
  return error === signal.reason || FabricError.from(error).code === 'cancelled';
}

function describeProgram(choose: Choose): Command {
  const program = new Command('hyperty')
    .description('Runs hyperties: actors of people and companies that talk through Matrix homeservers.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show help for a command')
    .showHelpAfterError('(add --help for all options)')
    .exitOverride()
    .addHelpText('after', HELP_AFTER);
  describeWorldCommands(program, choose);
  describeDoctor(program, choose);
  describeRun(program, choose);
  describeInspect(program, choose);
  describeParked(program, choose);
  describeStore(program, choose);
  describePublishing(program, choose);
  describeServices(program, choose);
  return program;
}

function describeWorldCommands(program: Command, choose: Choose): void {
  program
    .command('up')
    .description(
      'make and start two companies with a homeserver each, prove that they talk, run until Ctrl-C',
    )
    .option('--check', 'stop everything after the proof; the last line says what was proven and how fast')
    .option('--dir <folder>', 'folder of the world', DEFAULT_DIR)
    .addHelpText('after', examples('hyperty up', 'hyperty up --check', 'hyperty up --dir /tmp/other-world'))
    .action((options: UpOptions) => choose((context) => up(options, context)));
  program
    .command('down')
    .description('stop the world, and what an interrupted run left behind')
    .option('--delete', 'delete its folder too, with all accounts and messages')
    .option('--dir <folder>', 'folder of the world', DEFAULT_DIR)
    .addHelpText('after', examples('hyperty down', 'hyperty down --delete'))
    .action((options: { dir: string; delete?: boolean }) =>
      choose(({ terminal }) => down(options, terminal)),
    );
  program
    .command('status')
    .description('show what runs; ends with 0 while all of it does, else with 1')
    .option('--json', 'print JSON')
    .option('--dir <folder>', 'folder of the world', DEFAULT_DIR)
    .addHelpText('after', examples('hyperty status', 'hyperty status --json'))
    .action((options: { dir: string; json?: boolean }) =>
      choose(({ terminal }) => status(options, terminal)),
    );
}

function describeDoctor(program: Command, choose: Choose): void {
  const command = program
    .command('doctor')
    .description('check a Matrix homeserver and an account for what the fabric needs, and say what to change')
    .argument('[url]', "the homeserver's address for clients, or its domain; both of the world's by default");
  addCredentials(command)
    .option('--json', 'print JSON')
    .option('--dir <folder>', 'folder of the world', DEFAULT_DIR)
    .addHelpText(
      'after',
      examples(
        'hyperty doctor',
        'hyperty doctor https://matrix.example.com',
        'hyperty doctor example.com --user alice --password-file alice.txt',
        'HYPERTY_TOKEN=… hyperty doctor https://matrix.example.com --json',
      ),
    )
    .action((url: string | undefined, options: DoctorCommandOptions) =>
      choose(({ terminal, interruption }) => doctor(url, options, { terminal, signal: interruption.signal })),
    );
}

function describeRun(program: Command, choose: Choose): void {
  const command = program
    .command('run')
    .description(
      'host the hyperty, or run the script, that a TypeScript or JavaScript file exports as default',
    )
    .argument(
      '<file>',
      'exports a hyperty made by defineHyperty, or an async function ({ runtime, signal }) => …; or catalogue://… of a hyperty in the catalogue of the account’s own domain',
    )
    .option(
      '--as <account>',
      'account of the world, NAME@COMPANY (default: bob@partner hosts, alice@acme runs scripts)',
    )
    .option('--name <name>', "last part of the hyperty's address (default: the name in its descriptor)")
    .option(
      '--store <store>',
      'store for durable hyperties: a file, or redis://[user:password@]host[:port][/database][#name], rediss:// with TLS (default: a durable hyperty has a file of its own, all else has none)',
    )
    .option('--metrics [port]', 'offer metrics to Prometheus on 127.0.0.1 (port 9464 by default)', parsePort)
    .addOption(
      new Option('--log-level <level>', 'the least that is logged').choices(LOG_LEVELS).default('warn'),
    )
    .option('--homeserver <url>', 'use an account of this homeserver instead of one of the world');
  addCredentials(command)
    .option('--dir <folder>', 'folder of the world', DEFAULT_DIR)
    .addHelpText(
      'after',
      examples(
        'hyperty run examples/hello/ask-greeter.ts',
        'hyperty run my-hyperty.ts --as carol@acme --name mine',
        'hyperty run catalogue://acme.localhost:18481/hyperty/tally@^0.1',
        'hyperty run my-hyperty.ts --store redis://127.0.0.1:6379',
        'hyperty run my-hyperty.ts --homeserver https://matrix.example.com --user alice --password-file alice.txt',
      ),
    )
    .action((file: string, options: RunOptions) =>
      choose(({ terminal, interruption }) => run(file, options, { terminal, signal: interruption.signal })),
    );
}

function describeInspect(program: Command, choose: Choose): void {
  program
    .command('inspect')
    .description('show what the runtimes of "hyperty run" do: hyperties, links, dead letters')
    .option('--watch', 'draw it anew every second, until Ctrl-C')
    .option('--json', 'print JSON; with --watch, one line a second')
    .option('--socket <path>', "one runtime's socket, instead of all those of the world and of this user")
    .option('--dir <folder>', 'folder of the world', DEFAULT_DIR)
    .addHelpText('after', examples('hyperty inspect', 'hyperty inspect --watch', 'hyperty inspect --json'))
    .action((options: InspectOptions) =>
      choose(({ terminal, interruption }) => inspect(options, { terminal, signal: interruption.signal })),
    );
}

function describeParked(program: Command, choose: Choose): void {
  const parked = program
    .command('parked')
    .description(
      'deal with messages that were set aside, as their durable hyperty crashed at them each time; alone, it lists them',
    )
    .option('--store <store>', 'store that no runtime uses, as "hyperty run" names it, instead of runtimes')
    .option('--socket <path>', "one runtime's socket, instead of all those of the world and of this user")
    .option('--dir <folder>', 'folder of the world', DEFAULT_DIR)
    .configureHelp({ showGlobalOptions: true });
  parked
    .command('list', { isDefault: true })
    .description('show them, with address and place')
    .option('--json', 'print JSON, with what they say')
    .addHelpText('after', examples('hyperty parked list', 'hyperty parked list --store bob.db'))
    .action((_options: unknown, command: Command) =>
      choose(({ terminal, interruption }) =>
        listParked(command.optsWithGlobals(), { terminal, signal: interruption.signal }),
      ),
    );
  describeUnpark(parked, choose, {
    then: 'retry',
    about: 'handle one again, behind what waits; once the cause is mended',
  });
  describeUnpark(parked, choose, { then: 'drop', about: 'forget one for good' });
}

function describeUnpark(
  parked: Command,
  choose: Choose,
  { then, about }: { readonly then: 'retry' | 'drop'; readonly about: string },
): void {
  const unparking = parked
    .command(then)
    .description(about)
    .argument('<address>', "the hyperty's address")
    .argument('<place>', 'which of its parked messages')
    .addHelpText(
      'after',
      examples(`hyperty parked ${then} hyperty://acme.example/alice/counter 1795…-0a1b2c3d`),
    )
    .action((address: string, place: string) => {
      const options = unparking.optsWithGlobals<ParkedOptions>();
      choose(({ terminal, interruption }) =>
        unpark({ address, place, then }, options, { terminal, signal: interruption.signal }),
      );
    });
}

function describeStore(program: Command, choose: Choose): void {
  const store = program
    .command('store')
    .description('look after the file in which a runtime keeps what must outlive it');
  store
    .command('check')
    .description('check its integrity and count what is in it; a damaged one ends with 1')
    .argument('<file>', 'the store')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('hyperty store check alice.db'))
    .action((file: string, options: { json?: boolean }) =>
      choose(({ terminal }) => checkStore(file, options, terminal)),
    );
  store
    .command('backup')
    .description('copy it into a new file, complete as of one moment, while its runtime goes on')
    .argument('<file>', 'the store, or a folder of stores as "hyperty services" has one')
    .argument('<target>', 'the new file, or folder; a file that exists is not overwritten')
    .addHelpText(
      'after',
      examples(
        'hyperty store backup alice.db backups/alice-monday.db',
        'hyperty store backup hyperty-data backups/monday',
      ),
    )
    .action((file: string, target: string) => choose(({ terminal }) => backUpStore(file, target, terminal)));
  store
    .command('restore')
    .description('put a backup in the place of a store that is gone; stop its runtime or services first')
    .argument('<backup>', 'a backup, or a folder of them')
    .argument(
      '<target>',
      'where the store, or the folder of stores, was; a file that exists is not overwritten',
    )
    .addHelpText('after', examples('hyperty store restore backups/monday hyperty-data'))
    .action((backup: string, target: string) =>
      choose(({ terminal }) => restoreStore(backup, target, terminal)),
    );
}

const HELP_AFTER = `
Exit codes: 0 done, 1 failed (the reason is printed), 2 not understood, 129 terminal closed,
  130 Ctrl-C and 143 terminated before it was done.
Variables: HYPERTY_SYNAPSE_PYTHON (a Python that has matrix-synapse), HYPERTY_PASSWORD, HYPERTY_TOKEN, NO_COLOR.

Examples:
  hyperty up                                   two companies on this machine
  hyperty run examples/hello/ask-greeter.ts    a file of one's own
  hyperty inspect --watch                      what it does, live
  hyperty doctor https://matrix.example.com    can the fabric work there?`;
