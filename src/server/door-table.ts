import { awsService } from '../protocols/aws/service.ts';
import type { Door, DoorRequest } from '../protocols/door.ts';

/** Finds the door that a request is for: by the service of AWS that it was signed for, by what a door takes, its path, or a header. */
export class DoorTable {
  readonly #services = new Map<string, Door>();
  readonly #paths = new Map<string, Door>();
  /** Those that know their own requests whatever the path. */
  readonly #takers: readonly (readonly [takes: (request: DoorRequest) => boolean, door: Door])[];
  /** Have what is at no door's path, by a header of it. */
  readonly #headers: readonly (readonly [name: string, door: Door])[];
  /** Has what shows a bearer token and is neither. */
  readonly #bearer: Door | undefined;
  /** Prefixes such as `/http/`, longest first. */
  readonly #prefixes: readonly (readonly [prefix: string, door: Door])[];

  /** @throws Error when two doors have the same route */
  constructor(doors: readonly Door[]) {
    const prefixes = new Map<string, Door>();
    for (const door of doors) {
      if ('aws' in door.routes) {
        addOnce(this.#services, door.routes.aws, door);
        continue;
      }
      for (const path of door.routes.paths) {
        if (path.endsWith('*')) addOnce(prefixes, path.slice(0, -1), door);
        else addOnce(this.#paths, path, door);
      }
    }
    const pathed = doors.flatMap((door) => ('paths' in door.routes ? [{ door, routes: door.routes }] : []));
    this.#takers = pathed.flatMap(({ door, routes: { takes } }) =>
      takes === undefined ? [] : [[takes, door] as const],
    );
    this.#headers = pathed.flatMap(({ door, routes: { header } }) =>
      header === undefined ? [] : [[header, door] as const],
    );
    this.#bearer = doors.find(({ routes }) => 'paths' in routes && routes.bearer === true);
    this.#prefixes = [...prefixes].sort(([a], [b]) => b.length - a.length);
  }

  find(request: DoorRequest): Door | undefined {
    const service = awsService(request);
    if (service !== null) return this.#services.get(service);
    const { path } = request;
    const taker = this.#takers.find(([takes]) => takes(request))?.[1];
    if (taker !== undefined) return taker;
    const named = this.#paths.get(path) ?? this.#prefixes.find(([prefix]) => path.startsWith(prefix))?.[1];
    if (named !== undefined && !isAfterBearer(named)) return named;
    const byHeader = this.#headers.find(([name]) => request.header(name) !== undefined)?.[1];
    if (byHeader !== undefined) return byHeader;
    const isBearer = this.#bearer !== undefined && /^bearer /i.test(request.header('authorization') ?? '');
    return isBearer ? this.#bearer : named;
  }
}

function isAfterBearer({ routes }: Door): boolean {
  return 'paths' in routes && routes.afterBearer === true;
}

function addOnce(doors: Map<string, Door>, route: string, door: Door): void {
  const other = doors.get(route);
  if (other !== undefined) throw new Error(`the doors ${other.name} and ${door.name} both have ${route}`);
  doors.set(route, door);
}
