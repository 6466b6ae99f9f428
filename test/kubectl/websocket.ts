import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

// What a server of a test says on a WebSocket. It hears nothing.

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Says yes to an upgrade, in the first subprotocol that was asked for. */
export function accept(request: IncomingMessage, socket: Socket): void {
  const key = request.headers['sec-websocket-key'] ?? '';
  const hash = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${hash}\r\nSec-WebSocket-Protocol: ${request.headers['sec-websocket-protocol']}\r\n\r\n`,
  );
}

/** One whole frame of a server, which masks nothing (RFC 6455, 5.2). */
export function frame(opcode: number, body: Buffer): Buffer {
  const length = body.length;
  if (length < 126) return Buffer.concat([Buffer.from([0x80 | opcode, length]), body]);
  const head = Buffer.alloc(length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  head[1] = length < 65_536 ? 126 : 127;
  if (length < 65_536) head.writeUInt16BE(length, 2);
  else head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, body]);
}
