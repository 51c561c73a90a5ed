import type { Action } from '../../src/core/access.ts';
import { mayOnServer, maySomewhere } from './session.ts';

/** A view that one can go to. */
export interface PlaceOf {
  readonly path: string;
  readonly name: string;
  /** What it is good for, in a few words. */
  readonly says: string;
  /** Goes there after "g". */
  readonly key: string;
  /** What one must be allowed, on something at least or on the server as a whole; null where everybody may look. */
  readonly needs: { readonly action: Action; readonly on: 'something' | 'server' } | null;
}

/** The views, in the order in which they are offered. */
const PLACES: readonly PlaceOf[] = [
  { path: '/', name: 'Now', says: 'who holds locks, and who waits', key: 'n', needs: null },
  { path: '/explore', name: 'Explore', says: 'find states and resources', key: 'e', needs: null },
  {
    path: '/activity',
    name: 'Activity',
    says: 'who did what, and was refused',
    key: 'a',
    needs: { action: 'read-audit', on: 'something' },
  },
  {
    path: '/numbers',
    name: 'Numbers',
    says: 'how much happens, and how long it waits',
    key: 'u',
    needs: null,
  },
  {
    path: '/credentials',
    name: 'Credentials',
    says: 'who may enter, and do what',
    key: 'c',
    needs: { action: 'manage', on: 'server' },
  },
  {
    path: '/projects',
    name: 'Projects',
    says: 'how much each keeps and may keep, and freezes',
    key: 'p',
    needs: null,
  },
  { path: '/settings', name: 'Server', says: 'the server, and your session', key: 's', needs: null },
];

/** The views that are for who is signed in. */
export function offeredPlaces(): readonly PlaceOf[] {
  return PLACES.filter(
    ({ needs }) =>
      needs === null || (needs.on === 'server' ? mayOnServer(needs.action) : maySomewhere(needs.action)),
  );
}
