/** `hyperty new NAME`: a folder with a hyperty, its test and what describes them, to begin with. */
import { relative } from 'node:path';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import { createFromTemplate } from '../package/template.ts';
import type { Terminal } from '../terminal.ts';

/** Makes the folder and says what to do next. */
export async function createNew(
  name: string,
  options: { readonly in: string },
  terminal: Terminal,
): Promise<ExitCode> {
  const { folder, files } = await createFromTemplate(name, options.in);
  const shown = relative(process.cwd(), folder) || '.';
  terminal.printProgress({ kind: 'done', text: `made ${terminal.bold(shown)}: ${files.join(', ')}` });
  terminal.print(
    `  hyperty test ${shown}`,
    `  hyperty run ${shown}/${name}.ts`,
    `  hyperty publish ${shown} --dry-run`,
  );
  return exitCodes.ok;
}
