import { CapstanError } from '../core/runtime/errors.ts';
import { buildImages, buildWithDocker } from './image/images.ts';
import { isInstalled } from './image/run.ts';

/** `make image`: by Docker where one answers, else by buildah. ENGINE=buildah asks for it. */
try {
  if (await wantsDocker()) await buildWithDocker(console.log);
  else await buildImages(console.log);
} catch (error) {
  if (!(error instanceof CapstanError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function wantsDocker(): Promise<boolean> {
  const engine = process.env['ENGINE'];
  if (engine !== undefined) return engine === 'docker';
  return isInstalled('docker', 'info');
}
