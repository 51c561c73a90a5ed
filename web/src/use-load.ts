import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../../src/api/error.ts';
import { asApiError } from './api.ts';

/** What is read from the server: nothing yet, a value, or why there is none. */
export type Loaded<Value> =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly error: ApiError }
  | { readonly kind: 'loaded'; readonly value: Value };

const LOADING = { kind: 'loading' } as const;

/**
 * Reads something, and again when what it is asked by changes. An answer that comes after it was asked anew is dropped; while
 * the same is read again, the former value stays.
 * @param read asks the server
 * @param asked what it depends on, as one text
 * @returns what is known, and a function that reads it again
 */
export function useLoad<Value>(read: () => Promise<Value>, asked: string): [Loaded<Value>, () => void] {
  const [known, setKnown] = useState<{ asked: string; loaded: Loaded<Value> }>({ asked, loaded: LOADING });
  const [round, setRound] = useState(0);
  const latest = useRef(0);
  useEffect(() => {
    const mine = ++latest.current;
    const tell = (loaded: Loaded<Value>): void => {
      if (mine === latest.current) setKnown({ asked, loaded });
    };
    read().then(
      (value) => tell({ kind: 'loaded', value }),
      (fault: unknown) => tell({ kind: 'failed', error: asApiError(fault) }),
    );
    return () => {
      latest.current += 1;
    };
  }, [asked, round]);
  return [known.asked === asked ? known.loaded : LOADING, () => setRound((n) => n + 1)];
}
