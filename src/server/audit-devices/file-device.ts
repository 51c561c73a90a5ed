import { open, type FileHandle } from 'node:fs/promises';
import type { AuditDevice } from './device.ts';

/** A file of JSON lines, readable by the server's user alone. Taken means that the operating system has it. */
export class FileDevice implements AuditDevice {
  readonly name: string;
  readonly #path: string;
  #file: Promise<FileHandle> | null = null;

  constructor(path: string) {
    this.name = `file:${path}`;
    this.#path = path;
  }

  async send(lines: readonly string[]): Promise<void> {
    try {
      this.#file ??= open(this.#path, 'a', 0o600);
      await (await this.#file).appendFile(lines.map((line) => `${line}\n`).join(''));
    } catch (fault) {
      await this.reopen();
      throw fault;
    }
  }

  async reopen(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.then(
      (handle) => handle.close(),
      () => undefined,
    );
  }

  close(): Promise<void> {
    return this.reopen();
  }
}
