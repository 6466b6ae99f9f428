import type { Page } from '../shell.ts';
import { ENTRIES } from './entries.ts';
import type { Gallery } from './gallery.ts';

/** Something that a template is given. */
export interface Variable {
  /** `status.amounts[].label` */
  readonly path: string;
  readonly type: string;
  /** Whether every page of this template has it; of lists: every entry. */
  readonly isAlways: boolean;
}

/** What each template is given, as the gallery's pages are: from the views themselves, so that it is never out of date. */
export async function variablesOf(gallery: Gallery): Promise<ReadonlyMap<string, readonly Variable[]>> {
  const views = new Map<string, Page['view'][]>();
  for (const entry of ENTRIES) {
    const { page } = await gallery.look(entry, 'en');
    if (page) views.set(page.template, [...(views.get(page.template) ?? []), page.view]);
  }
  return new Map(
    [...views]
      .toSorted(([one], [other]) => one.localeCompare(other, 'en'))
      .map(([name, all]) => [name, variables(all)]),
  );
}

function variables(views: readonly unknown[], path = ''): readonly Variable[] {
  const records = views.filter(isObject);
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return names.flatMap((name) => {
    const values = records.map((record) => record[name]).filter((value) => value !== undefined);
    const at = path === '' ? name : `${path}.${name}`;
    if (values.length === 0) return [];
    const isAlways = values.length === records.length;
    const lists = values.filter(Array.isArray) as unknown[][];
    if (lists.length > 0)
      return [{ path: at, type: 'list', isAlways }, ...variables(lists.flat(), `${at}[]`)];
    if (values.some(isObject)) return [{ path: at, type: 'map', isAlways }, ...variables(values, at)];
    return [{ path: at, type: typeName(values[0]), isAlways }];
  });
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function typeName(value: unknown): string {
  if (typeof value === 'boolean') return 'true or false';
  return typeof value === 'number' ? 'number' : 'text';
}
