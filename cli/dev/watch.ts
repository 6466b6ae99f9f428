import { watch } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../core/runtime/errors.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import type { Crew } from './crew.ts';
import type { DevOptions } from './dev.ts';
import type { Output } from './output.ts';

const SETTLE_MS = 200;
const SOURCES = ['core', 'server', 'workers'] as const;

export interface WatchPlan {
  readonly options: DevOptions;
  readonly anchor: Anchor;
  readonly crew: Crew;
  readonly reload: () => Promise<void>;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** Follows the files that a developer edits. A change that does not work is told, and what runs goes on. */
export function watchForChanges(plan: WatchPlan): void {
  const { options, anchor, crew, reload, signal } = plan;
  if (options.watch === true) {
    const file = path.resolve(options.file);
    // The folder, because editors replace a file rather than write it.
    onChange(
      plan,
      path.dirname(file),
      (changed) => changed === path.basename(file),
      'the manifest',
      reload,
      false,
    );
    for (const folder of integrationFolders(anchor)) {
      onChange(plan, folder, isSource, 'the integration', () => crew.restartIntegration(), true);
    }
  }
  if (options.watchSources === true) {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    for (const folder of SOURCES) {
      onChange(plan, path.join(root, folder), isSource, `${folder}/`, () => crew.restartRoles(), true);
    }
  }
  signal.throwIfAborted();
}

/** The folders of those arguments of the command that are files. */
function integrationFolders({ integration }: Anchor): readonly string[] {
  const files = (integration.command ?? []).slice(1).filter((argument) => /^[^-].*\.\w+$/.test(argument));
  return [...new Set(files.map((file) => path.dirname(path.resolve(file))))];
}

function isSource(file: string): boolean {
  return (
    /\.(ts|js|mjs|json|liquid|css|py|java|go|rb)$/.test(file) &&
    !file.includes('node_modules') &&
    !file.includes('.test.')
  );
}

function onChange(
  { output, signal }: WatchPlan,
  folder: string,
  isWanted: (file: string) => boolean,
  what: string,
  act: () => Promise<void>,
  recursive: boolean,
): void {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const run = async (): Promise<void> => {
    output.notice(`${what} changed`);
    try {
      await act();
    } catch (error) {
      output.notice(`${what}: not taken over. ${messageOf(error)}`);
    }
  };
  watch(folder, { recursive, signal, persistent: false }, (_, file) => {
    if (file === null || !isWanted(file)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(run);
    }, SETTLE_MS);
  });
}
