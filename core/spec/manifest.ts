import { isRecord } from './guards.ts';
import { draftOf } from './draft.ts';
import { formatPath, ManifestErrors } from './problems.ts';
import type { Path, Problem } from './problems.ts';
import { rules } from './rules.ts';
import { anchorManifest, API_VERSION, KIND } from './schema/anchor.ts';
import type { AnchorManifest } from './schema/anchor.ts';
import { dataManifest, decodeData } from './schema/data.ts';
import { KeyedData, secretRefsWithPaths } from './secrets.ts';
import { readSource } from './source.ts';
import type { SourceDocument } from './source.ts';
import { validate } from './validate.ts';
import type { Finding } from './validate.ts';

/** A file as it was written: YAML documents, nothing checked but their syntax. */
export interface ParsedManifest {
  readonly file: string;
  readonly documents: readonly SourceDocument[];
}

export interface Manifest {
  /** Whole and right, every default filled in; as many as the files hold. */
  readonly anchors: readonly AnchorManifest[];
  readonly secrets: readonly KeyedData[];
  readonly configMaps: readonly KeyedData[];
  /** What was passed over, a sentence each with file and line. */
  readonly notes: readonly string[];
}

/**
 * Reads an Anchor manifest as `kubectl apply -f` takes it: several documents, its Secrets and ConfigMaps among them;
 * other kinds are passed over with a note.
 * @param file name of the file for messages.
 * @throws {ManifestErrors} with everything that is wrong, each with file, line, field and what to do.
 */
export function readManifest(text: string, file: string): Manifest {
  return checkManifest([parseManifest(text, file)]);
}

/**
 * The first half of {@link readManifest}: syntax only.
 * @throws {ManifestErrors}
 */
export function parseManifest(text: string, file: string): ParsedManifest {
  return { file, documents: readSource(text, file) };
}

/**
 * The second half of {@link readManifest}, over several files at once.
 * @throws {ManifestErrors}
 */
export function checkManifest(parsed: readonly ParsedManifest[]): Manifest {
  const read = parsed.flatMap(({ file, documents }) =>
    documents.map((document): Read => ({ file, document, ...readDocument(document.value) })),
  );
  const problems = [
    ...read.flatMap((one) => one.findings.map((finding) => problemOf(one, finding))),
    ...duplicates(read),
    ...missingKeys(read),
  ];
  if (problems.length > 0) throw new ManifestErrors(problems);
  const data = read.flatMap((one) => (one.data ? [one.data] : []));
  return {
    anchors: read.flatMap((one) => (one.anchor ? [one.anchor] : [])),
    secrets: data.filter(({ kind }) => kind === 'Secret'),
    configMaps: data.filter(({ kind }) => kind === 'ConfigMap'),
    notes: read.flatMap((one) => (one.note ? [`${one.file}:${one.document.lineOf([])}: ${one.note}`] : [])),
  };
}

/**
 * The one Anchor of a manifest.
 * @throws {ManifestErrors} if there is none, or more than one.
 */
export function soleAnchor(manifest: Manifest, file: string): AnchorManifest {
  const [anchor, ...others] = manifest.anchors;
  if (anchor && others.length === 0) return anchor;
  const message = anchor
    ? `holds ${manifest.anchors.length} Anchors: this command takes one, so split the file.`
    : `holds no Anchor: add a document with apiVersion: ${API_VERSION} and kind: ${KIND}.`;
  throw new ManifestErrors([{ file, line: 1, path: '', message }]);
}

/** What one document turned out to be. */
interface Outcome {
  readonly findings: readonly Finding[];
  readonly anchor?: AnchorManifest;
  readonly data?: KeyedData;
  readonly note?: string;
}
interface Read extends Outcome {
  readonly file: string;
  readonly document: SourceDocument;
}

function readDocument(value: unknown): Outcome {
  if (!isRecord(value) || typeof value['kind'] !== 'string' || typeof value['apiVersion'] !== 'string') {
    const message = 'is no Kubernetes resource: each document needs apiVersion and kind as text.';
    return { findings: [{ path: [], message }] };
  }
  const { kind, apiVersion } = value;
  if (kind === KIND || apiVersion.startsWith('capstan.dev/')) return readAnchorDocument(value);
  if (apiVersion === 'v1' && (kind === 'Secret' || kind === 'ConfigMap'))
    return readDataDocument(value, kind);
  return { findings: [], note: `a ${kind.slice(0, 63)} is none of Capstan's business and was passed over.` };
}

function readAnchorDocument(value: Readonly<Record<string, unknown>>): Outcome {
  const checked = validate(anchorManifest, value);
  const schemaFindings = 'findings' in checked ? checked.findings : [];
  const draft = 'value' in checked ? checked.value.spec : draftOf(value['spec'], schemaFindings);
  const findings = [...schemaFindings, ...rules.flatMap((rule) => rule.violations(draft))];
  return 'value' in checked && findings.length === 0 ? { findings, anchor: checked.value } : { findings };
}

function readDataDocument(value: unknown, kind: 'Secret' | 'ConfigMap'): Outcome {
  const checked = validate(dataManifest, value);
  if ('findings' in checked) return { findings: checked.findings };
  const { values, findings } = decodeData(checked.value, kind);
  return { findings, data: new KeyedData(kind, checked.value.metadata, values) };
}

function problemOf(read: Read, finding: Finding): Problem {
  return {
    file: read.file,
    line: read.document.lineOf(finding.path, finding.key),
    path: formatPath(finding.path),
    message: finding.message,
  };
}

/** A second resource of the same kind, namespace and name: kubectl would let the last one win, silently. */
function duplicates(read: readonly Read[]): readonly Problem[] {
  const seen = new Set<string>();
  return read.flatMap((one) => {
    const metadata = one.anchor?.metadata ?? one.data;
    if (!metadata) return [];
    const key = `${one.data?.kind ?? KIND} ${metadata.namespace}/${metadata.name}`;
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    const message = `${key} stands twice: take one out, or rename it.`;
    return [problemOf(one, { path: ['metadata', 'name'], message })];
  });
}

/** References to a Secret that is in the files, but without the key; a Secret that is elsewhere is not our business. */
function missingKeys(read: readonly Read[]): readonly Problem[] {
  return read.flatMap((one) => {
    const { anchor } = one;
    if (!anchor) return [];
    return secretRefsWithPaths(anchor).flatMap(({ ref, path }) => {
      const secret = read.find(
        ({ data }) =>
          data?.kind === 'Secret' && data.name === ref.name && data.namespace === anchor.metadata.namespace,
      )?.data;
      if (!secret || secret.keys.includes(ref.key)) return [];
      const has = secret.keys.length > 0 ? `it has ${secret.keys.join(', ')}` : 'it is empty';
      const message = `names key ${ref.key}, which Secret ${ref.name} does not have (${has}): correct one of the two.`;
      const at: Path = [...path, 'key'];
      return [problemOf(one, { path: at, message })];
    });
  });
}
