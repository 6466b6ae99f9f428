import { Gauge, type Registry } from 'prom-client';
import type { AnchorObject } from './anchor-object.ts';

/** Registers what is known of each Anchor; read from the cache at each scrape, so nothing is kept twice. */
export function registerAnchorMetrics(registry: Registry, anchors: () => readonly AnchorObject[]): void {
  const registers = [registry];
  const labelNames = ['namespace', 'name'];
  const labelsOf = ({ metadata: { namespace = '', name } }: AnchorObject) => ({ namespace, name });
  const ready = new Gauge({
    name: 'anchor_ready',
    help: '1 while the condition Ready of the Anchor is True.',
    labelNames,
    registers,
    collect() {
      ready.reset();
      for (const anchor of anchors()) {
        const condition = anchor.status?.conditions?.find(({ type }) => type === 'Ready');
        ready.set(labelsOf(anchor), condition?.status === 'True' ? 1 : 0);
      }
    },
  });
  const conditions = new Gauge({
    name: 'anchor_condition',
    help: '1 for the status that each condition of an Anchor has.',
    labelNames: [...labelNames, 'type', 'status'],
    registers,
    collect() {
      conditions.reset();
      for (const anchor of anchors())
        for (const { type, status } of anchor.status?.conditions ?? [])
          conditions.set({ ...labelsOf(anchor), type, status }, 1);
    },
  });
  const trustlines = new Gauge({
    name: 'anchor_asset_trustline',
    help: '1 while the distribution account of the asset has a trustline for it.',
    labelNames: [...labelNames, 'asset'],
    registers,
    collect() {
      trustlines.reset();
      for (const anchor of anchors())
        for (const { code, issuer = '', trustline } of anchor.status?.assets ?? [])
          if (trustline !== undefined)
            trustlines.set(
              { ...labelsOf(anchor), asset: issuer === '' ? code : `${code}:${issuer}` },
              trustline ? 1 : 0,
            );
    },
  });
}
