import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../../src/api/error.ts';
import { asApiError } from './api.ts';

/** A list that is read page by page, as far down as somebody looks. */
export interface Pages<Item> {
  readonly items: readonly Item[];
  /** Whether the first page is still being read. */
  readonly loading: boolean;
  readonly error: ApiError | null;
  readonly more: boolean;
  /** Reads the next page, unless one is being read. */
  readonly next: () => void;
  /** Reads everything again from the first page. */
  readonly again: () => void;
}

interface Read<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** @param read asks for one page. @param asked what it depends on, as one text */
export function usePages<Item>(
  read: (cursor: string | undefined) => Promise<Read<Item>>,
  asked: string,
): Pages<Item> {
  const [items, setItems] = useState<readonly Item[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [loading, setLoading] = useState(true);
  const [error, setError] = useState<ApiError | null>(null);
  const [round, setRound] = useState(0);
  const busy = useRef(false);
  const latest = useRef(0);

  async function load(after: string | undefined): Promise<void> {
    const mine = latest.current;
    busy.current = true;
    try {
      const page = await read(after);
      if (mine !== latest.current) return;
      setItems((former) => (after === undefined ? page.items : [...former, ...page.items]));
      setCursor(page.next);
      setError(null);
    } catch (fault) {
      if (mine === latest.current) setError(asApiError(fault));
    } finally {
      if (mine === latest.current) {
        busy.current = false;
        setLoading(false);
      }
    }
  }

  useEffect(() => {
    latest.current += 1;
    setLoading(true);
    setCursor(null);
    void load(undefined);
    return () => {
      latest.current += 1;
    };
  }, [asked, round]);

  return {
    items,
    loading,
    error,
    more: cursor !== null,
    next: () => {
      if (cursor !== null && !busy.current) void load(cursor);
    },
    again: () => setRound((n) => n + 1),
  };
}
