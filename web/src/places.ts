import type { Action } from '../../src/core/access.ts';

/** A view that one can go to. */
export interface PlaceOf {
  readonly path: string;
  readonly name: string;
  /** What it is good for, in a few words. */
  readonly says: string;
  /** Goes there after "g". */
  readonly key: string;
  /** What one must be allowed somewhere at least; null where everybody may look. */
  readonly needs: Action | null;
}

/** The views, in the order in which they are offered. */
export const PLACES: readonly PlaceOf[] = [
  { path: '/', name: 'Now', says: 'who holds locks, and who waits', key: 'n', needs: null },
  { path: '/explore', name: 'Explore', says: 'find states and resources', key: 'e', needs: null },
  {
    path: '/activity',
    name: 'Activity',
    says: 'who did what, and was refused',
    key: 'a',
    needs: 'read-audit',
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
    needs: 'manage',
  },
  { path: '/projects', name: 'Projects', says: 'how much history each keeps', key: 'p', needs: null },
  { path: '/settings', name: 'Server', says: 'the server, and your session', key: 's', needs: null },
];
