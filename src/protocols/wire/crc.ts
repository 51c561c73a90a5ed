import { crc32 } from 'node:zlib';

/** A checksum that takes bytes as they come; big-endian bytes come out. */
export interface Digest {
  update(chunk: Uint8Array): void;
  digest(): Uint8Array;
}

/** Castagnoli's polynomial, reflected (RFC 3720, appendix B.4). */
const CASTAGNOLI = 0x82f63b78;
/** CRC-64/NVME's polynomial, reflected, in two halves (NVM Express specification, "64b CRC"). */
const NVME_HIGH = 0x9a6c9329;
const NVME_LOW = 0xac4bc9b5;

const CRC32C_TABLE = tableOf32(CASTAGNOLI);
const [CRC64_HIGH, CRC64_LOW] = tableOf64();

export function newCrc32(): Digest {
  let value = 0;
  return {
    update(chunk) {
      value = crc32(chunk, value);
    },
    digest: () => bigEndian(value),
  };
}

export function newCrc32c(): Digest {
  let value = 0xffffffff;
  return {
    update(chunk) {
      let crc = value;
      for (const byte of chunk) crc = (CRC32C_TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
      value = crc;
    },
    digest: () => bigEndian(~value),
  };
}

export function newCrc64Nvme(): Digest {
  let high = 0xffffffff;
  let low = 0xffffffff;
  return {
    update(chunk) {
      let [h, l] = [high, low];
      for (const byte of chunk) {
        const index = (l ^ byte) & 0xff;
        l = ((l >>> 8) | (h << 24)) ^ (CRC64_LOW[index] as number);
        h = (h >>> 8) ^ (CRC64_HIGH[index] as number);
      }
      [high, low] = [h, l];
    },
    digest: () => Buffer.concat([bigEndian(~high), bigEndian(~low)]),
  };
}

function tableOf32(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, index) => {
    let crc = index;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    return crc >>> 0;
  });
}

function tableOf64(): readonly [Uint32Array, Uint32Array] {
  const highs = new Uint32Array(256);
  const lows = new Uint32Array(256);
  for (let index = 0; index < 256; index += 1) {
    let [high, low] = [0, index];
    for (let bit = 0; bit < 8; bit += 1) {
      const odd = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (odd === 1) {
        high ^= NVME_HIGH;
        low ^= NVME_LOW;
      }
    }
    highs[index] = high;
    lows[index] = low;
  }
  return [highs, lows];
}

function bigEndian(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}
