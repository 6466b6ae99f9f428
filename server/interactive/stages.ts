import type { FormPage } from '../../core/integration/contract.ts';
import type { Visit } from './visit.ts';

/** The parts of the way to the instructions. */
export const STAGES = ['amount', 'details', 'review', 'pay'] as const;
export type Stage = (typeof STAGES)[number];

export interface StagesView {
  /** What the customer is at, in words. */
  readonly text: string;
  readonly steps: readonly { readonly state: 'done' | 'now' | 'next' }[];
}

/** How far the customer has come; there are no details where the integration has no form. */
export async function stagesOf(
  { shell, translator }: Visit,
  now: Stage,
  progress?: FormPage['progress'],
): Promise<StagesView> {
  const hasDetails = await shell.deps.integration.has('interactive/form');
  const all = STAGES.filter((stage) => stage !== 'details' || hasDetails);
  return viewStages(all, now, { t: translator.t, progress });
}

export function viewStages(
  all: readonly Stage[],
  now: Stage,
  { t, progress }: { readonly t: Visit['translator']['t']; readonly progress?: FormPage['progress'] },
): StagesView {
  const at = all.indexOf(now);
  const name = t(`stage.${now}`);
  const part = progress && t('stage.part', { at: progress.at, of: progress.of });
  const step = t('stage.step', { at: at + 1, of: all.length, name });
  return {
    text: part === undefined ? step : `${step} ${part}`,
    steps: all.map((_, index) => ({ state: index < at ? 'done' : index === at ? 'now' : 'next' })),
  };
}
