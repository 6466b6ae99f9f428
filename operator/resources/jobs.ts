import type * as k8s from '@kubernetes/client-node';
import { parseDuration } from '../../core/spec/duration.ts';
import { effectiveRefs } from './config.ts';
import { labelsOf, metadataOf, type BuildContext } from './context.ts';
import { hashOf } from './hash.ts';
import type { Applied, ObjectMetadata } from './kubernetes.ts';
import { migrationJobName } from './names.ts';
import { resourcesOf, rolePod } from './pod.ts';
import { versionsHash } from './secrets.ts';

const GRACE_SECONDS = 40;
/** For the image, the node and the database of a run's start. */
const START_SECONDS = 120;
const MINUTE_MS = 60_000;

/** Whole minutes into which an hour can be divided evenly. */
const PERIODS = [60, 30, 20, 15, 12, 10, 6, 5, 4, 3, 2, 1] as const;

/** Minutes from one start to the next: the wanted time, down to what cron can say evenly. */
export function periodMinutes(restartInterval: string): number {
  const minutes = parseDuration(restartInterval) / MINUTE_MS;
  return PERIODS.find((period) => period <= minutes) ?? 1;
}

/**
 * Starts every `period` minutes, the first time about two minutes after the Anchor was made: nobody waits a whole period
 * for the first look, and anchors that were made at different times do not start all at once.
 */
export function scheduleOf(createdAt: string, period: number): string {
  if (period === 1) return '* * * * *';
  const first = (Math.floor(Date.parse(createdAt) / MINUTE_MS) + 2) % period;
  return period === 60 ? `${first} * * * *` : `${first}-59/${period} * * * *`;
}

/** `capstan poll-deposits`, looping from one start to the next. */
export function pollCronJob(context: BuildContext, suspend: boolean): Applied<k8s.V1CronJob> {
  return cronJob(context, 'poll', 'poll-deposits', suspend);
}

/** `capstan check-trustlines`, likewise. */
export function trustlinesCronJob(context: BuildContext, suspend: boolean): Applied<k8s.V1CronJob> {
  return cronJob(context, 'trustlines', 'check-trustlines', suspend);
}

function cronJob(
  context: BuildContext,
  role: 'poll' | 'trustlines',
  command: string,
  suspend: boolean,
): Applied<k8s.V1CronJob> {
  const { workers } = context.spec;
  const { interval, restartInterval } = workers[role];
  const period = periodMinutes(restartInterval);
  const seconds = period * 60;
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: metadataOf(context, role),
    spec: {
      schedule: scheduleOf(context.createdAt, period),
      timeZone: 'Etc/UTC',
      concurrencyPolicy: 'Forbid',
      suspend,
      // A start that fell into the end of the run before is made up for, older ones are not.
      startingDeadlineSeconds: seconds,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 3,
      jobTemplate: {
        metadata: { labels: labelsOf(context, role) },
        spec: {
          backoffLimit: 6,
          // Its loop ends by itself; what hangs is ended.
          activeDeadlineSeconds: seconds + START_SECONDS + GRACE_SECONDS,
          template: rolePod(context, role, {
            component: role,
            args: [
              command,
              '--loop',
              '--interval',
              String(parseDuration(interval) / 1000),
              '--for',
              String(seconds),
            ],
            graceSeconds: GRACE_SECONDS,
            restartPolicy: 'OnFailure',
            resources: resourcesOf(workers.resources, '20m', '128Mi', '256Mi'),
          }),
        },
      },
    },
  };
}

/** On the migration Job and on the server's Deployment: which database they mean (its Secret, key and version). */
export const DATABASE_ANNOTATION = 'capstan.dev/database';

/** Changes with the Secret that holds the database's URL. */
export function databaseFingerprint(context: BuildContext): string {
  const { database } = effectiveRefs(context);
  return hashOf([database, versionsHash(context, [{ kind: 'Secret', name: database.name }])]);
}

/** Brings the schema up to this release. Named by the schema's version, so that one release runs it once. */
export function migrationJob(context: BuildContext): Applied<k8s.V1Job> {
  const metadata: ObjectMetadata = metadataOf(context, 'migrate', {
    name: migrationJobName(context.name, context.platform.schema),
    annotations: { [DATABASE_ANNOTATION]: databaseFingerprint(context) },
  });
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata,
    spec: {
      backoffLimit: 5,
      activeDeadlineSeconds: 3_600,
      // Gone then; if the schema is still behind, that is the next try.
      ttlSecondsAfterFinished: 600,
      template: rolePod(context, 'migrate', {
        component: 'migrate',
        args: ['migrate'],
        graceSeconds: GRACE_SECONDS,
        restartPolicy: 'Never',
        resources: resourcesOf(context.spec.workers.resources, '50m', '160Mi', '384Mi'),
      }),
    },
  };
}
