import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import type { Clock } from '../../core/runtime/clock.ts';
import { CapstanError, messageOf } from '../../core/runtime/errors.ts';
import { COMPONENT_LABEL } from '../../operator/resources/context.ts';
import { VERSION } from '../version.ts';
import { gather, textAt, type Gathered, type Loaded } from './gather.ts';
import { lookInside } from './look.ts';
import { readLog } from './pod-logs.ts';
import { atPlace, findAnchor, type Place, type PlaceOptions } from './place.ts';
import { redactLog, redactObject, redactReportText } from './redact.ts';
import { statusOf, statusText, type Inside } from './status.ts';
import { tarGz, type ArchiveFile } from './tar.ts';

export interface ReportOptions extends PlaceOptions {
  /** File that ends with `.tar.gz`, or a folder. */
  readonly to?: string;
  readonly exec: boolean;
  /** Lines of each container's log. */
  readonly tail: number;
  /** Logs of the integration as well: Capstan cannot know what personal data it writes. */
  readonly integrationLogs: boolean;
  readonly clock: Clock;
  readonly write: (text: string) => void;
}

export class ReportUnwritable extends CapstanError {
  constructor(where: string, cause: unknown) {
    super('report_unwritable', `${where} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

/** `kubectl anchor report`: everything that a helper from outside needs, and nothing that may not leave the cluster. */
export async function runReport(name: string, options: ReportOptions): Promise<number> {
  return atPlace(options, async (place) => {
    const { clock, to, write } = options;
    const anchor = await findAnchor(place, name);
    const gathered = await gather(place, anchor);
    const [inside, logs] = await Promise.all([
      lookInside(place, name, options.exec),
      readLogs(place, gathered.objects, options),
    ]);
    const nowMs = clock.now();
    const stamp = new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
    const folder = `anchor-${name}-${stamp}`;
    const files = [...reportFiles(gathered, inside, nowMs), ...logs];
    const where = to ?? `${folder}.tar.gz`;
    await save(where, folder, files, nowMs);
    write(
      `${where}: ${files.length} files. Look through them before you pass them on; README.txt says what was hidden.\n`,
    );
    return 0;
  });
}

/** All but the logs. Pure; what is in the files is redacted. */
export function reportFiles(gathered: Gathered, inside: Inside, nowMs: number): readonly ArchiveFile[] {
  const { anchor, objects, events, gaps } = gathered;
  const view = statusOf(gathered, inside, nowMs);
  const yaml = (value: unknown): string =>
    stringify(redactObject(value), { lineWidth: 0, aliasDuplicateObjects: false });
  const kinds = [...new Set(objects.map(({ kind }) => kind))];
  return [
    { path: 'README.txt', text: readme(view.namespace, anchor.metadata.name, nowMs, gaps) },
    { path: 'status.txt', text: redactReportText(statusText(view, nowMs)) },
    { path: 'anchor.yaml', text: yaml(anchor) },
    { path: 'conditions.yaml', text: yaml(view.conditions) },
    { path: 'events.yaml', text: yaml(events) },
    { path: 'internal-status.yaml', text: yaml('status' in inside ? inside.status : inside) },
    ...kinds.map((kind) => ({
      path: `objects/${kind}.yaml`,
      text: objects
        .filter((one) => one.kind === kind)
        .map(yaml)
        .join('---\n'),
    })),
  ];
}

const readme = (namespace: string, name: string, nowMs: number, gaps: readonly string[]): string =>
  [
    `Report on the Anchor ${namespace}/${name}, made by kubectl anchor ${VERSION} at ${new Date(nowMs).toISOString()}.`,
    '',
    'Secrets were not read. Hidden as [redacted]: values of environment variables, seeds, tokens, passwords (also in URLs),',
    'and in all texts and logs what can be told to be personal: SEP-9 fields, e-mail addresses, phone, card and account numbers.',
    'A name or a street in a free text cannot be told. Look through the files before you pass them on.',
    ...(gaps.length === 0
      ? []
      : [
          '',
          'Not in it, because who made it may not see it:',
          ...gaps.map((gap) => `  ${redactReportText(gap)}`),
        ]),
    '',
  ].join('\n');

async function readLogs(
  place: Place,
  objects: readonly Loaded[],
  { tail, integrationLogs }: ReportOptions,
): Promise<readonly ArchiveFile[]> {
  const pods = objects.filter(
    (one) =>
      one.kind === 'Pod' && (integrationLogs || one.metadata.labels?.[COMPONENT_LABEL] !== 'integration'),
  );
  const logs = await Promise.all(
    pods.flatMap((pod) =>
      (['', '.previous'] as const).map(async (which) => {
        const isPrevious = which !== '';
        if (isPrevious && !hasRestarted(pod)) return [];
        const text = await readLog(place, pod.metadata.name, { tail, isPrevious }).catch(
          (error: unknown) => `(the log could not be read: ${messageOf(error)})\n`,
        );
        return [{ path: `logs/${pod.metadata.name}${which}.log`, text: redactLog(text) }];
      }),
    ),
  );
  return logs.flat();
}

const hasRestarted = (pod: Loaded): boolean =>
  textAt(pod, 'status', 'containerStatuses', 0, 'lastState', 'terminated', 'finishedAt') !== '';

async function save(
  where: string,
  folder: string,
  files: readonly ArchiveFile[],
  nowMs: number,
): Promise<void> {
  try {
    if (where.endsWith('.tar.gz') || where.endsWith('.tgz')) {
      const inFolder = files.map((file) => ({ ...file, path: `${folder}/${file.path}` }));
      await writeFile(where, tarGz(inFolder, nowMs), { mode: 0o600, flag: 'wx' });
      return;
    }
    for (const file of files) {
      const target = path.join(where, file.path);
      await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
      await writeFile(target, file.text, { mode: 0o600, flag: 'wx' });
    }
  } catch (error) {
    throw new ReportUnwritable(where, error);
  }
}
