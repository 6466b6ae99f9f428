import { kubectl } from './fixtures.ts';
import { listObjects, type Place } from './objects.ts';

/** Says whether a connection is taken, refused, or nobody answers: what a dropped packet looks like. */
const CONNECT = `
const [, address, port] = process.argv;
const socket = require('node:net').connect({ host: address, port: Number(port) });
socket.setTimeout(2000, () => { console.log('silence'); process.exit(); });
socket.once('connect', () => { console.log('open'); process.exit(); });
socket.once('error', ({ code }) => { console.log(code); process.exit(); });
`;

/** From inside a pod, by Node: `open`, `silence`, or the code of the error. */
export async function connectFrom(
  place: Place,
  pod: string,
  [address, port]: readonly [string, number],
): Promise<string> {
  const command = ['node', '--eval', CONNECT, address, String(port)];
  return (await kubectl(place, ['exec', pod, '--', ...command])).trim();
}

/** The address of a pod of a part of an Anchor. */
export async function podAddress(place: Place, component: string): Promise<string> {
  const pods = await listObjects(place, 'Pod', `app.kubernetes.io/component=${component}`);
  return pods.find(({ status }) => status?.podIP)?.status?.podIP ?? '';
}
