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
    const wasLive = await readStream(ended).catch(() => false);
    if (ended.aborted) return;
    state.value = 'reconnecting';
    wait = wasLive ? RETRY_MS_MIN : Math.min(wait * 2, RETRY_MS_MAX);
    await pause(wait);
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

/** Reads one connection to its end: the server's, or that of the network. @returns whether it had begun */
async function readStream(ended: AbortSignal): Promise<boolean> {
  const broken = new AbortController();
  const cut = (): void => broken.abort();
  addEventListener('offline', cut);
  try {
    return await readBlocks(AbortSignal.any([ended, broken.signal]), cut);
  } finally {
    removeEventListener('offline', cut);
  }
}

/** @param cut ends a connection on which nothing comes any more */
async function readBlocks(signal: AbortSignal, cut: () => void): Promise<boolean> {
  const headers: Record<string, string> = lastId === null ? {} : { 'last-event-id': lastId };
  const response = await fetch(pathOf('events', {}), {
    headers,
    credentials: 'same-origin',
    cache: 'no-store',
    signal,
  });
  if (response.status === 401) tellSessionLost();
  if (!response.ok || response.body === null) return false;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let timer = setTimeout(cut, SILENCE_MS);
  let begun = false;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return begun;
      clearTimeout(timer);
      timer = setTimeout(cut, SILENCE_MS);
      text += value;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) begun = tell(block) || begun;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** @returns whether the block was an event, and no comment */
function tell(block: string): boolean {
  const fields = new Map(
    block.split('\n').map((line) => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)] as const;
    }),
  );
  lastId = fields.get('id') ?? lastId;
  const name = fields.get('event');
  if (name === undefined) return false;
  if (name === 'ready' || name === 'reset') state.value = 'live';
  const event = { name, address: addressIn(fields.get('data') ?? '') };
  for (const heard of listeners) heard(event);
  return true;
}

function addressIn(data: string): string {
  try {
    const { address } = JSON.parse(data) as { address?: unknown };
    return typeof address === 'string' ? address : '';
  } catch {
    return '';
  }
}
