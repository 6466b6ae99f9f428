import { writeFileSync } from 'node:fs';
import { VERSION } from '../cli/version.ts';
import { CHART, chartFiles } from './chart/chart.ts';

for (const [name, text] of chartFiles(VERSION)) writeFileSync(new URL(name, CHART), text);
