import type { Line } from '../support/output.ts';
import { ageText } from './age.ts';
import { at, countAt, listAt, textAt, type Loaded } from './gather.ts';

/** One part of an Anchor in a line: what it is, how it does, and what is wrong with it. */
export interface Part {
  readonly kind: string;
  readonly name: string;
  readonly ready: string;
  readonly image: string;
  readonly age: string;
  readonly note: string;
}

type Read = (object: Loaded, nowMs: number) => Pick<Part, 'ready' | 'note'>;

const replicas: Read = (object) => {
  const [ready, wanted] = [
    countAt(object, 'status', 'readyReplicas'),
    countAt(object, 'spec', 'replicas') || 0,
  ];
  const failing = listAt(object, 'status', 'conditions').filter(
    (one) => at(one, 'status') === 'False' || at(one, 'reason') === 'ProgressDeadlineExceeded',
  );
  return { ready: `${ready}/${wanted}`, note: failing.map((one) => textAt(one, 'message')).join('; ') };
};

const READERS: Readonly<Record<string, Read>> = {
  Deployment: replicas,
  StatefulSet: replicas,
  CronJob: (object, nowMs) => {
    const last = textAt(object, 'status', 'lastScheduleTime');
    const resting = at(object, 'spec', 'suspend') === true ? 'rests' : '';
    const ran = last === '' ? 'never started' : `started ${ageText(last, nowMs)} ago`;
    return {
      ready: String(listAt(object, 'status', 'active').length),
      note: [resting, ran].filter(Boolean).join(', '),
    };
  },
  Job: (object) => {
    const ended = listAt(object, 'status', 'conditions').filter((one) => at(one, 'status') === 'True');
    const failed = ended.find((one) => at(one, 'type') === 'Failed');
    return {
      ready: `${countAt(object, 'status', 'succeeded')}/1`,
      note: failed ? `failed: ${textAt(failed, 'message')}` : '',
    };
  },
  Pod: (object) => {
    const containers = listAt(object, 'status', 'containerStatuses');
    const ready = containers.filter((one) => at(one, 'ready') === true).length;
    return { ready: `${ready}/${containers.length || 1}`, note: podNote(object, containers) };
  },
};

/** Why a pod does not run, and what it last ended with. */
function podNote(pod: Loaded, containers: readonly unknown[]): string {
  const phase = textAt(pod, 'status', 'phase');
  const unscheduled = listAt(pod, 'status', 'conditions').filter(
    (one) => at(one, 'type') === 'PodScheduled' && at(one, 'status') === 'False',
  );
  const waits = containers.flatMap((one) => {
    const [reason, message] = [
      textAt(one, 'state', 'waiting', 'reason'),
      textAt(one, 'state', 'waiting', 'message'),
    ];
    return reason === '' ? [] : [message === '' ? reason : `${reason}: ${message}`];
  });
  const ended = containers.flatMap((one) => {
    const restarts = countAt(one, 'restartCount');
    const last = at(one, 'lastState', 'terminated');
    const why = textAt(last, 'message').trim().split('\n').at(-1) ?? '';
    if (restarts === 0) return [];
    return [
      `restarted ${restarts} times, last ended with ${countAt(last, 'exitCode')}${why === '' ? '' : `: ${why}`}`,
    ];
  });
  return [
    ...(phase === 'Running' || phase === 'Succeeded' ? [] : [phase]),
    ...(pod.metadata.deletionTimestamp === undefined ? [] : ['is ending']),
    ...unscheduled.map((one) => textAt(one, 'message')),
    ...waits,
    ...ended,
  ].join('; ');
}

const imageOf = (object: Loaded): string => {
  const specs = [['spec'], ['spec', 'template', 'spec'], ['spec', 'jobTemplate', 'spec', 'template', 'spec']];
  return specs.map((path) => textAt(object, ...path, 'containers', 0, 'image')).find(Boolean) ?? '';
};

/** The parts that run something, in the order of their kinds. */
export function partsOf(objects: readonly Loaded[], nowMs: number): readonly Part[] {
  return objects.flatMap((object) => {
    const read = READERS[object.kind];
    if (!read) return [];
    const age = ageText(object.metadata.creationTimestamp ?? '', nowMs);
    return [
      { kind: object.kind, name: object.metadata.name, image: imageOf(object), age, ...read(object, nowMs) },
    ];
  });
}

export const partLine = ({ kind, name, ready, image, age, note }: Part): Line => ({
  KIND: kind,
  NAME: name,
  READY: ready,
  AGE: age,
  IMAGE: image,
  NOTE: note,
});
