import { gzipSync } from 'node:zlib';

/** An entry of an archive that no honest program makes. */
export interface RawEntry {
  readonly path: string;
  /** The type as tar has it: "0" a file, "5" a directory, "2" a link, "1" a hard link, "3" a device. Default "0". */
  readonly type?: string;
  readonly target?: string;
  readonly content?: string;
  /** What the header says of the size; that of the content if it is left out. */
  readonly size?: number;
  readonly mode?: number;
}

/** A tar archive, gzipped, of these very entries. */
export function tarOf(entries: readonly RawEntry[]): Buffer {
  return gzipSync(Buffer.concat([...entries.map(bytesOf), Buffer.alloc(1_024)]));
}

function bytesOf({ path, type = '0', target = '', content = '', size, mode = 0o644 }: RawEntry): Buffer {
  const body = Buffer.from(content);
  const header = Buffer.alloc(512);
  header.write(path, 0, 100);
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size ?? body.length, 11), 124);
  header.write(octal(0, 11), 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(target, 157, 100);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  const padding = Buffer.alloc((512 - (body.length % 512)) % 512);
  return Buffer.concat([header, body, padding]);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
