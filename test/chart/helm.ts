import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { CHART } from '../../scripts/chart/chart.ts';
import { runTool, type CommandResult } from '../cluster/access.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';

export const CHART_FOLDER = fileURLToPath(CHART).replace(/\/$/, '');

/** Of the pinned Kubernetes (test/cluster/binaries). Our own build of helm knows no version by itself. */
const KUBE_VERSION = '1.36.0';

export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads whatever was rendered
  readonly [field: string]: any;
}

/** helm's arguments for values: JSON, so that no shell and no type guessing comes in between. */
export const valueArgs = (values: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.entries(values).flatMap(([path, value]) => ['--set-json', `${path}=${JSON.stringify(value)}`]);

/** Runs helm. @throws with what it said, when it fails */
export async function helm(cluster: ControlPlane, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runTool(cluster, 'helm', args);
  if (code !== 0) throw new Error(`helm ${args.join(' ')}: ${stderr}`);
  return stdout;
}

export async function renderText(
  cluster: ControlPlane,
  namespace: string,
  values: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const place = ['--namespace', namespace, '--kube-version', KUBE_VERSION];
  return helm(cluster, 'template', 'capstan', CHART_FOLDER, ...place, ...valueArgs(values));
}

export const parseRendered = (text: string): readonly Rendered[] =>
  parseAllDocuments(text).flatMap((document) => {
    const [problem] = document.errors;
    if (problem) throw problem;
    const object = document.toJS() as Rendered | null;
    return object ? [object] : [];
  });

export const tryTemplate = async (
  cluster: ControlPlane,
  values: Readonly<Record<string, unknown>>,
): Promise<CommandResult> =>
  runTool(cluster, 'helm', [
    'template',
    'capstan',
    CHART_FOLDER,
    '--kube-version',
    KUBE_VERSION,
    ...valueArgs(values),
  ]);
