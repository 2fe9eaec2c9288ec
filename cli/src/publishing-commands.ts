/** The commands of those who write and publish hyperties: what they take, and their help texts. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { FabricError } from '@hyperty/runtime';
import { judge, replaceKey, search, show, tag, versions, type CatalogueContext, type CatalogueOptions } from './command/catalogue.ts'; // prettier-ignore
import { createNew } from './command/new.ts';
import { publish, type PublishOptions } from './command/publish.ts';
import { test } from './command/test.ts';
import { DEFAULT_DIR } from './command/up.ts';
import { addCredentials, examples, type Choose, type Context } from './command-line.ts';

/** Adds them to the program. */
export function describePublishing(program: Command, choose: Choose): void {
  describeNew(program, choose);
  describeTest(program, choose);
  describePublish(program, choose);
  const catalogue = program
    .command('catalogue')
    .description('look at what can be run, and care for what one has published');
  describeReading(catalogue, choose);
  describeCare(catalogue, choose);
}

const contextOf = ({ terminal, interruption }: Context): CatalogueContext => ({
  terminal,
  signal: interruption.signal,
});

function describeNew(program: Command, choose: Choose): void {
  program
    .command('new')
    .description('make a folder with a hyperty, its test and what describes them')
    .argument('<name>', 'name of the hyperty and the folder: lower-case words joined by hyphens')
    .option('--in <folder>', 'where to make it', '.')
    .addHelpText('after', examples('hyperty new tally', 'hyperty new chat-room --in my'))
    .action((name: string, options: { in: string }) =>
      choose(({ terminal }) => createNew(name, options, terminal)),
    );
}

function describeTest(program: Command, choose: Choose): void {
  program
    .command('test')
    .description(
      'run the tests of a folder, *.test.ts, with the test runner of Node.js; ends with 1 when one fails',
    )
    .argument('[folder]', 'the folder', '.')
    .option('--only <pattern>', 'only tests whose name matches')
    .addHelpText('after', examples('hyperty test', 'hyperty test my/tally', 'hyperty test --only "adds up"'))
    .action((folder: string, options: { only?: string }) =>
      choose((context) => test(folder, options, contextOf(context))),
    );
}

function describePublish(program: Command, choose: Choose): void {
  const command = program
    .command('publish')
    .description(
      "bundle what a folder's package.json names, sign it, and bring it into the company's catalogue",
    )
    .argument('[folder]', 'the folder', '.')
    .option('--dry-run', 'bundle and check, print the descriptor, send nothing; needs no account')
    .option('--tag <tag>', 'a tag that leads to it; "latest" follows the highest stable version by itself');
  addAccount(command)
    .addHelpText(
      'after',
      examples(
        'hyperty publish --dry-run',
        'hyperty publish my/tally',
        'hyperty publish --tag beta --as carol@acme',
        'hyperty publish --homeserver https://matrix.example.com --user alice --password-file alice.txt',
      ),
    )
    .action((folder: string, options: PublishOptions) =>
      choose((context) => publish(folder, options, contextOf(context))),
    );
}

function describeReading(catalogue: Command, choose: Choose): void {
  reading(catalogue.command('search'))
    .description('find by words of name, keywords and description')
    .argument('[words...]', 'all of them must be there; none: everything')
    .addOption(kindOption())
    .option('--keyword <word>', 'only those with this keyword')
    .option('--limit <number>', 'at most so many (20)', parseCount)
    .option('--offset <number>', 'after so many', parseCount)
    .addHelpText(
      'after',
      examples('hyperty catalogue search', 'hyperty catalogue search chat --kind hyperty'),
    )
    .action((words: string[], options: Parameters<typeof search>[1]) =>
      choose((context) => search(words, options, contextOf(context))),
    );
  reading(catalogue.command('show'))
    .description('show one version: what it is, needs and weighs, who signed it')
    .argument('<name>', NAME_AND_RANGE)
    .addHelpText(
      'after',
      examples('hyperty catalogue show greeter', 'hyperty catalogue show schema/message@^1'),
    )
    .action((name: string, options: CatalogueOptions) =>
      choose((context) => show(name, options, contextOf(context))),
    );
  reading(catalogue.command('versions'))
    .description('show all versions, with tags and what became of them')
    .argument('<name>', NAME)
    .addHelpText('after', examples('hyperty catalogue versions greeter'))
    .action((name: string, options: CatalogueOptions) =>
      choose((context) => versions(name, options, contextOf(context))),
    );
}

function describeCare(catalogue: Command, choose: Choose): void {
  care(catalogue.command('tag'))
    .description('let a tag lead to a version')
    .argument('<name>', NAME)
    .argument('<tag>', 'such as beta, or latest to pin it')
    .argument('[version]', 'the version')
    .option('--remove', 'remove the tag; latest follows the highest stable version again')
    .addHelpText(
      'after',
      examples(
        'hyperty catalogue tag greeter beta 2.0.0-beta.1',
        'hyperty catalogue tag greeter beta --remove',
      ),
    )
    .action(
      (name: string, its: string, ...rest: [string | undefined, CatalogueOptions & { remove?: boolean }]) => {
        const [given, options] = rest;
        choose(async (context) => {
          const version = eitherOr(given, options.remove, 'Give a version, or --remove.');
          return tag({ name, tag: its, version }, options, contextOf(context));
        });
      },
    );
  describeJudging(catalogue, choose, {
    operation: 'deprecate',
    about: 'say why a version should no longer be used',
  });
  describeJudging(catalogue, choose, {
    operation: 'yank',
    about: 'withdraw a version from all ranges and tags',
  });
  care(catalogue.command('replace-key'))
    .description('make a new key to sign with; the one until now signs that it takes its place')
    .addHelpText('after', examples('hyperty catalogue replace-key'))
    .action((options: CatalogueOptions) => choose((context) => replaceKey(options, contextOf(context))));
}

function describeJudging(
  catalogue: Command,
  choose: Choose,
  { operation, about }: { readonly operation: 'deprecate' | 'yank'; readonly about: string },
): void {
  care(catalogue.command(operation))
    .description(about)
    .argument('<name>', NAME)
    .argument('<version>', 'the version')
    .argument('[reason]', 'why, for those who use it')
    .option('--undo', 'take it back')
    .addHelpText(
      'after',
      examples(
        `hyperty catalogue ${operation} greeter 1.2.0 "loses greetings"`,
        `hyperty catalogue ${operation} greeter 1.2.0 --undo`,
      ),
    )
    .action(
      (
        name: string,
        version: string,
        ...rest: [string | undefined, CatalogueOptions & { undo?: boolean }]
      ) => {
        const [given, options] = rest;
        choose(async (context) => {
          const reason = eitherOr(given, options.undo, 'Give a reason, or --undo.');
          return judge({ operation, name, version, reason }, options, contextOf(context));
        });
      },
    );
}

const NAME = 'NAME of a hyperty, or KIND/NAME';
const NAME_AND_RANGE = `${NAME}, with @VERSION, @RANGE or @TAG; or catalogue://…`;

const kindOption = (): Option =>
  new Option('--kind <kind>', 'only of this kind').choices([
    'hyperty',
    'protostub',
    'idp-proxy',
    'runtime',
    'schema',
  ]);

function eitherOr(given: string | undefined, isNothing: boolean | undefined, advice: string): string | null {
  if ((given === undefined) === (isNothing === true)) return given ?? null;
  throw new FabricError('invalid', advice);
}

function parseCount(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number.');
}

const reading = (command: Command): Command =>
  care(command).option('--domain <domain>', "whose catalogue (default: that of the account's own domain)");

const care = (command: Command): Command => addAccount(command.option('--json', 'print JSON'));

function addAccount(command: Command): Command {
  command
    .option('--as <account>', 'account of the world, NAME@COMPANY (default: alice@acme)')
    .option('--homeserver <url>', 'use an account of this homeserver instead of one of the world')
    .option('--dir <folder>', 'folder of the world', DEFAULT_DIR);
  return addCredentials(command);
}
