import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../../scripts/image/run.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/**
 * An image of one static program and nothing else, as an archive that containerd reads
 * (https://github.com/opencontainers/image-spec/blob/main/image-layout.md).
 */
export async function programImage(program: string, reference: string, archive: string): Promise<void> {
  const work = `${archive}.parts`;
  const [layout, name] = [path.join(work, 'layout'), path.basename(program)];
  await rm(work, { recursive: true, force: true });
  await mkdir(path.join(layout, 'blobs/sha256'), { recursive: true });
  await copyFile(program, path.join(work, name));
  await chmod(path.join(work, name), 0o755);
  const layer = path.join(work, 'layer.tar');
  await run('tar', ['--create', '--file', layer, '--directory', work, '--owner=0', '--group=0', name]);
  const layerDigest = await blob(layout, await readFile(layer));
  const config = await blob(
    layout,
    Buffer.from(
      JSON.stringify({
        architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
        os: 'linux',
        config: { Entrypoint: [`/${name}`] },
        rootfs: { type: 'layers', diff_ids: [layerDigest.digest] },
      }),
    ),
  );
  const manifest = await blob(
    layout,
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
        layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layerDigest }],
      }),
    ),
  );
  const annotations = {
    'io.containerd.image.name': reference,
    'org.opencontainers.image.ref.name': reference.split(':').at(-1),
  };
  const index = { schemaVersion: 2, manifests: [{ mediaType: MANIFEST, ...manifest, annotations }] };
  await writeFile(path.join(layout, 'index.json'), JSON.stringify(index));
  await writeFile(path.join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await run('tar', [
    '--create',
    '--file',
    archive,
    '--directory',
    layout,
    'oci-layout',
    'index.json',
    'blobs',
  ]);
  await rm(work, { recursive: true });
}

async function blob(layout: string, content: Buffer): Promise<{ digest: string; size: number }> {
  const hash = createHash('sha256').update(content).digest('hex');
  const file = path.join(layout, 'blobs/sha256', hash);
  await writeFile(file, content);
  return { digest: `sha256:${hash}`, size: (await stat(file)).size };
}
