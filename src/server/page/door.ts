import type { Door, DoorReply, DoorRequest, DoorRoutes } from '../../protocols/door.ts';
import { faultReply } from '../../protocols/wire/problem.ts';
import { unknownPath } from '../signposts.ts';
import type { Page } from './page.ts';

/** The places in the page that have an address of their own. */
const PLACES: readonly string[] = [
  '/s/*',
  ...['explore', 'activity', 'numbers', 'credentials', 'projects', 'settings', 'sign-in'].flatMap((name) => [
    `/${name}`,
    `/${name}/*`,
  ]),
];
const FILES: readonly string[] = ['/assets/*', '/favicon.ico', '/favicon.svg'];

/**
 * The page. It says nothing of this house by itself, and so needs no credential: all that it shows it asks the API for. Its places
 * are for browsers alone: a backend that is pointed at one must not take the page for a state.
 */
export class PageDoor implements Door {
  readonly name = 'page';
  readonly routes: DoorRoutes = { paths: [...PLACES, ...FILES], afterBearer: true };
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    const file = await this.#page.file(request);
    if (file !== null) return file;
    const isFile = FILES.some((path) => request.path.startsWith(path.replace('*', '')));
    return isFile || !this.#page.isWanted(request) ? unknownPath(request) : this.#page.start(request);
  }

  fault(_request: DoorRequest, message: string): DoorReply {
    return faultReply('page', message);
  }

  throttled(): null {
    return null;
  }
}
