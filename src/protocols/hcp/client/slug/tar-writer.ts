const BLOCK = 512;
const NAME_BYTES = 100;
/** An entry of ustar has no room for a larger file. */
export const FILE_BYTES_MAX: number = 0o77777777777;

/** What an archive says of a file, a directory or a link. */
export interface TarHead {
  /** With "/" between its parts; a directory's ends with one. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'link';
  readonly mode: number;
  /** Of a file's content, in bytes. */
  readonly size: number;
  readonly modified: Date;
  /** What a link points to; "" for everything else. */
  readonly target: string;
}

const TYPES = { file: '0', directory: '5', link: '2' } as const;

/** The header of an entry, in front of its content: POSIX ustar, with a pax record where a name is too long for it. */
export function tarHeader({ path, kind, mode, size, modified, target }: TarHead): Uint8Array {
  const long = {
    ...(Buffer.byteLength(path) > NAME_BYTES ? { path } : {}),
    ...(Buffer.byteLength(target) > NAME_BYTES ? { linkpath: target } : {}),
  };
  const own = header({ path, type: TYPES[kind], mode, size, modified, target });
  if (Object.keys(long).length === 0) return own;
  const records = Buffer.concat(Object.entries(long).map(([name, value]) => paxRecord(name, value)));
  const before = header({
    path: 'PaxHeaders.0/long-name',
    type: 'x',
    mode: 0o644,
    size: records.length,
    modified,
    target: '',
  });
  return Buffer.concat([before, records, tarPadding(records.length), own]);
}

/** What follows a content of so many bytes. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}

/** What ends an archive. */
export const TAR_END: Uint8Array = new Uint8Array(2 * BLOCK);

function header({
  path,
  type,
  mode,
  size,
  modified,
  target,
}: Omit<TarHead, 'kind'> & { readonly type: string }): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(path, 0, NAME_BYTES);
  block.write(octal(mode & 0o7777, 7), 100);
  // Nobody's: the names and numbers of this machine's users are no business of the server's.
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(Math.max(0, Math.floor(modified.getTime() / 1_000)), 11), 136);
  block.write(' '.repeat(8), 148);
  block.write(type, 156);
  block.write(target, 157, NAME_BYTES);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** `LENGTH name=value\n`, where the length counts itself. */
function paxRecord(name: string, value: string): Buffer {
  const rest = Buffer.from(` ${name}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
