import { writeFileSync } from 'node:fs';
import { CRD_NAME, crdYaml } from '../operator/crd/crd.ts';

writeFileSync(new URL(`../crds/${CRD_NAME}.yaml`, import.meta.url), crdYaml());
