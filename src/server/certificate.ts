import { statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../ports/log.ts';
import { ownDirectory, type Configuration } from './configuration.ts';
import type { TlsMaterial } from './listener.ts';
import {
  DAY_MS,
  endOf,
  readAuthorities,
  readTls,
  RENEWAL_MS,
  selfSignedPaths,
  selfSignedTls,
} from './tls.ts';

/** How often the files are looked at. Mounts swap them by links, of which the file system tells nobody. */
const LOOK_MS = 5_000;

/**
 * The certificate that the house shows: read again when its files change, made again before it ends where the house signs its
 * own. What cannot be used leaves the former one in place.
 */
export class Certificate implements Disposable {
  readonly #configuration: Configuration;
  readonly #log: Log;
  readonly #paths: { readonly cert: string; readonly key: string };
  #material: TlsMaterial;
  #seen: string;
  #warnedAt = -Infinity;
  #apply: (material: TlsMaterial) => void = () => undefined;
  #timer: NodeJS.Timeout | null = null;

  private constructor(configuration: Configuration, log: Log, material: TlsMaterial) {
    this.#configuration = configuration;
    this.#log = log;
    this.#paths = pathsOf(configuration);
    this.#material = material;
    this.#seen = this.#signature();
  }

  /**
   * Reads or makes the certificate that the configuration asks for; null where it asks for none.
   * @throws {BadTls} when it cannot be used
   */
  static async open(configuration: Configuration, log: Log): Promise<Certificate | null> {
    if (configuration.tls.kind === 'none') return null;
    return new Certificate(configuration, log, await load(configuration, log));
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  /** When it ends, in milliseconds since 1970. */
  get ends(): number {
    return endOf(this.#material);
  }

  /** The file that clients must be told to trust; null where somebody else signed it. */
  get trusted(): string | null {
    return this.#configuration.tls.kind === 'self-signed' ? this.#paths.cert : null;
  }

  /** From now on the files are watched, and what is new is given to the listener. */
  watch(apply: (material: TlsMaterial) => void): void {
    this.#apply = apply;
    this.#warn();
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** Reads the files now, as SIGHUP asks. A certificate that cannot be used is logged, and the former one stays. */
  async reload(): Promise<void> {
    this.#seen = this.#signature();
    try {
      const material = await load(this.#configuration, this.#log);
      if (isDeepStrictEqual(material, this.#material)) return;
      this.#apply(material);
      this.#material = material;
      this.#warnedAt = -Infinity;
      this.#log.info('the certificate was changed', { ends: new Date(this.ends).toISOString() });
    } catch (fault) {
      this.#log.error('the new certificate cannot be used: the former one stays', {
        fault: fault instanceof Error ? fault.message : String(fault),
      });
    }
    this.#warn();
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const isOwn = this.#configuration.tls.kind === 'self-signed';
    const due = isOwn && this.ends - Date.now() < RENEWAL_MS;
    if (due || this.#signature() !== this.#seen) await this.reload();
    else this.#warn();
  }

  /** Once a day, when the end is near. */
  #warn(): void {
    const left = this.ends - Date.now();
    if (left > RENEWAL_MS || Date.now() - this.#warnedAt < DAY_MS) return;
    this.#warnedAt = Date.now();
    this.#log.warn(left > 0 ? 'the certificate ends soon' : 'the certificate has ended', {
      ends: new Date(this.ends).toISOString(),
    });
  }

  /** What changes when a file is written, replaced, or removed. */
  #signature(): string {
    const { clientCa } = this.#configuration;
    return [this.#paths.cert, this.#paths.key, ...(clientCa === null ? [] : [clientCa])]
      .map((path) => {
        const found = statSync(path, { throwIfNoEntry: false });
        return found === undefined ? 'none' : `${found.ino} ${found.mtimeMs} ${found.size}`;
      })
      .join();
  }
}

async function load(configuration: Configuration, log: Log): Promise<TlsMaterial> {
  const { tls, host, domain, clientCa } = configuration;
  const shown =
    tls.kind === 'files'
      ? readTls(tls.cert, tls.key)
      : await selfSignedTls(ownDirectory(configuration), domain === null ? [host] : [host, domain], log);
  return clientCa === null ? shown : { ...shown, ca: readAuthorities(clientCa) };
}

function pathsOf(configuration: Configuration): { readonly cert: string; readonly key: string } {
  const { tls } = configuration;
  return tls.kind === 'files' ? tls : selfSignedPaths(ownDirectory(configuration));
}
