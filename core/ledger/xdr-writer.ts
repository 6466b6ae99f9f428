/** Enough for a hundred payments with source and asset. */
const FIRST_BYTES = 16 * 1024;

/** Writes XDR (RFC 4506): big-endian, in units of four bytes. Numbers have to fit: who writes them has checked. */
export class XdrWriter {
  #buffer = Buffer.allocUnsafe(512);
  #length = 0;

  uint32(value: number): this {
    this.#length = this.#room(4).writeUInt32BE(value, this.#length);
    return this;
  }

  int64(value: bigint): this {
    this.#length = this.#room(8).writeBigInt64BE(value, this.#length);
    return this;
  }

  uint64(value: bigint): this {
    this.#length = this.#room(8).writeBigUInt64BE(value, this.#length);
    return this;
  }

  /** Of a length that both sides know, a multiple of four. */
  fixed(bytes: Uint8Array): this {
    this.#room(bytes.length).set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** With its length before it, padded with zeros. */
  opaque(bytes: Uint8Array): this {
    this.uint32(bytes.length).fixed(bytes);
    return this.fixed(new Uint8Array(-bytes.length & 3));
  }

  /** A copy of what is written. */
  bytes(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }

  #room(bytes: number): Buffer {
    const needed = this.#length + bytes;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(FIRST_BYTES, needed * 2));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    return this.#buffer;
  }
}
