import { signal, type ReadonlySignal } from '@preact/signals';
import { mayActOn, type Action } from '../../src/core/access.ts';
import { isAddress, parseAddress } from '../../src/core/address.ts';
import type { SessionShape } from '../../src/api/shapes/session.ts';
import { api, onSessionLost } from './api.ts';
import { follow, unfollow } from './live.ts';

/** Whether somebody is signed in: not known yet, nobody, nobody any more, or who. */
export type Session =
  | { readonly kind: 'asking' }
  | { readonly kind: 'out'; readonly ended: boolean }
  | { readonly kind: 'in'; readonly who: SessionShape };

const present = signal<Session>({ kind: 'asking' });

/** Who is signed in. */
export const session: ReadonlySignal<Session> = present;

onSessionLost(() => {
  const { kind } = present.peek();
  if (kind !== 'out') present.value = { kind: 'out', ended: kind === 'in' };
});

/** Asks the server who is signed in, when the page is loaded. @throws ApiError when it cannot be asked */
export async function resumeSession(): Promise<void> {
  begin(await api.ask('show-session', {}));
}

/** Shows a credential to the server, which sets the session's cookie. @throws ApiError when it is refused */
export async function signIn(credential: string): Promise<void> {
  begin(await api.ask('create-session', { body: { credential } }));
}

/** Ends the session, on the server and here. */
export async function signOut(): Promise<void> {
  await api.ask('end-session', {}).catch(() => undefined);
  unfollow();
  present.value = { kind: 'out', ended: false };
}

/**
 * Whether who is signed in may do something with a state. It says what to offer alone: the server decides.
 * @param address its text form
 */
export function may(action: Action, address: string): boolean {
  const now = present.value;
  const place = parseAddress(address);
  return now.kind === 'in' && isAddress(place) && mayActOn(now.who.grants, action, place);
}

/** The same of the server as a whole. */
export function mayOnServer(action: Action): boolean {
  const now = present.value;
  return now.kind === 'in' && now.who.onServer.includes(action);
}

/** The same of anything: whether there may be something that it may be done to. */
export function maySomewhere(action: Action): boolean {
  const now = present.value;
  return now.kind === 'in' && now.who.somewhere.includes(action);
}

function begin(who: SessionShape): void {
  present.value = { kind: 'in', who };
  follow();
}
