import { describe, expect, test } from '@jest/globals';
import { causeOfRequests, type CertificateRequestObject } from './causes.ts';

describe('why there is no certificate yet', () => {
  const request = (
    conditions: NonNullable<CertificateRequestObject['status']>['conditions'],
    change: Partial<CertificateRequestObject['metadata']> = {},
  ): CertificateRequestObject => ({
    apiVersion: 'cert-manager.io/v1',
    kind: 'CertificateRequest',
    metadata: {
      name: 'harbor-server-1',
      creationTimestamp: '2026-11-29T11:00:00Z',
      ownerReferences: [
        { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', name: 'harbor-server', uid: 'u' },
      ],
      ...change,
    },
    status: { conditions: conditions ?? [] },
  });
  const pending = (message: string) => ({ type: 'Ready', status: 'False', reason: 'Pending', message });
  const NOWHERE = 'Referenced "Issuer" not found: issuer.cert-manager.io "nowhere" not found';

  test.each([
    ['an issuer that does not exist lasts', [pending(NOWHERE)], { text: NOWHERE, isLasting: true }],
    [
      'an order that is under way does not',
      [pending('Waiting on certificate issuance from order harbor-1: "pending".')],
      { text: 'Waiting on certificate issuance from order harbor-1: "pending"', isLasting: false },
    ],
    [
      'a request that somebody denied does, whatever else it says',
      [
        pending('Not signed.'),
        {
          type: 'Denied',
          status: 'True',
          reason: 'policy.example',
          message: 'No certificates for this host.',
        },
      ],
      { text: 'No certificates for this host', isLasting: true },
    ],
  ])('%s', (_, conditions, cause) => {
    expect(causeOfRequests([request(conditions)], 'u')).toEqual(cause);
  });

  test('is told by the newest request of this very Certificate', () => {
    const old = request([pending('old')], { creationTimestamp: '2026-11-29T10:00:00Z' });
    const foreign = request([pending('foreign')], {
      ownerReferences: [],
      creationTimestamp: '2026-11-29T11:59:58Z',
    });
    expect(causeOfRequests([old, request([pending('new')]), foreign], 'u')?.text).toBe('new');
    expect(causeOfRequests([foreign], 'u')).toBeUndefined();
  });
});
