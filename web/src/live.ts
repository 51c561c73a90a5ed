import { signal, type ReadonlySignal } from '@preact/signals';
import { onSessionLost, pathOf, tellSessionLost } from './api.ts';

/** Whether what is shown is what is so now. */
export type Liveness = 'off' | 'connecting' | 'live' | 'reconnecting';

/** One event of the stream. `ready` and `reset` begin it. */
export interface LiveEvent {
  readonly name: string;
  readonly address: string;
}

/** The server sends a comment at least every 17 s: after this the connection is taken for dead. */
const SILENCE_MS = 40_000;
const RETRY_MS_MIN = 300;
const RETRY_MS_MAX = 10_000;

const state = signal<Liveness>('off');
const listeners = new Set<(event: LiveEvent) => void>();
let lastId: string | null = null;
let running: AbortController | null = null;

/** How the event stream is doing. */
export const liveness: ReadonlySignal<Liveness> = state;

/** Hears of what happens, as it happens. @returns a function that ends it */
export function onEvent(heard: (event: LiveEvent) => void): () => void {
  listeners.add(heard);
  // Who comes late reads everything once, as after a beginning.
  if (state.peek() === 'live') heard({ name: 'ready', address: '' });
  return () => listeners.delete(heard);
}

/** Follows the events until {@link unfollow}; a connection that breaks is made again, and goes on where it ended. */
export function follow(): void {
  if (running !== null) return;
  const control = new AbortController();
  running = control;
  state.value = 'connecting';
  void keepFollowing(control.signal);
}

export function unfollow(): void {
  running?.abort();
  running = null;
  lastId = null;
  state.value = 'off';
}

onSessionLost(unfollow);

async function keepFollowing(ended: AbortSignal): Promise<void> {
  let wait = RETRY_MS_MIN;
  while (!ended.aborted) {
    await readStream(ended).catch(() => undefined);
    if (ended.aborted) return;
    wait = state.peek() === 'live' ? RETRY_MS_MIN : Math.min(wait * 2, RETRY_MS_MAX);
    state.value = 'reconnecting';
    // A server that starts again is not asked by all pages at once.
    await pause(wait * (0.5 + Math.random()));
  }
}

/** Waits, but no longer than until the network is back. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      clearTimeout(timer);
      removeEventListener('online', go);
      resolve();
    };
    const timer = setTimeout(go, ms);
    addEventListener('online', go);
  });
}

/** Reads one connection to its end: the server's, or that of the network. */
async function readStream(ended: AbortSignal): Promise<void> {
  const broken = new AbortController();
  const cut = (): void => broken.abort();
  addEventListener('offline', cut);
  try {
    await readBlocks(AbortSignal.any([ended, broken.signal]), cut);
  } finally {
    removeEventListener('offline', cut);
  }
}

/** @param cut ends a connection on which nothing comes any more */
async function readBlocks(signal: AbortSignal, cut: () => void): Promise<void> {
  const headers: Record<string, string> = lastId === null ? {} : { 'last-event-id': lastId };
  const response = await fetch(pathOf('events', {}), {
    headers,
    credentials: 'same-origin',
    cache: 'no-store',
    signal,
  });
  if (response.status === 401) tellSessionLost();
  if (!response.ok || response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let timer = setTimeout(cut, SILENCE_MS);
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(cut, SILENCE_MS);
      text += value;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) tell(block);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Tells of an event; a comment is none. */
function tell(block: string): void {
  const fields = new Map(
    block.split('\n').map((line) => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)] as const;
    }),
  );
  lastId = fields.get('id') ?? lastId;
  const name = fields.get('event');
  if (name === undefined) return;
  if (name === 'ready' || name === 'reset') state.value = 'live';
  const event = { name, address: addressIn(fields.get('data') ?? '') };
  for (const heard of listeners) heard(event);
}

function addressIn(data: string): string {
  try {
    const { address } = JSON.parse(data) as { address?: unknown };
    return typeof address === 'string' ? address : '';
  } catch {
    return '';
  }
}
