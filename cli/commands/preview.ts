import type { Command } from 'commander';
import type { PreviewOptions } from '../preview/preview.ts';
import { end, port } from './options.ts';

/** The gallery of the customer's pages. */
export function addPreview(program: Command): void {
  program
    .command('preview')
    .description(
      'look at every page that a customer may see, in every state and language, with your branding on',
    )
    .option('-f, --file <file>', 'the Anchor manifest; without it an anchor that does not exist')
    .option('--branding <folder>', 'look and wording; default: branding.folder of the manifest')
    .option('--port <port>', 'where it answers', port, 4400)
    .option('--host <address>', 'the address to listen on, for example 0.0.0.0 for all', '127.0.0.1')
    .action(async (options: PreviewOptions) => {
      const { runPreview } = await import('../preview/preview.ts');
      end(await runPreview(options));
    });
}
