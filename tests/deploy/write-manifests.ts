import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { MANIFESTS, manifests } from './support/chart.ts';

mkdirSync(path.dirname(MANIFESTS), { recursive: true });
writeFileSync(MANIFESTS, manifests());
