import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ApiError } from '../../../src/api/error.ts';
import type { Loaded } from '../use-load.ts';

/** What is said while something is read: nothing at first, so that what comes at once does not flicker. */
export function Loading({ what }: { what: string }): JSX.Element {
  const [told, setTold] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setTold(true), 250);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="notice" role="status">
      {told && (
        <>
          <span class="spinner" aria-hidden="true" /> Reading {what}…
        </>
      )}
    </div>
  );
}

/** What is said where there is nothing. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="notice empty">
      <h3>{title}</h3>
      {children !== undefined && <p>{children}</p>}
    </div>
  );
}

/** What is said where something could not be read, and what to do. */
export function Failure({
  error,
  what,
  again,
}: {
  error: ApiError;
  what: string;
  again?: (() => void) | undefined;
}): JSX.Element {
  if (error.status === 403) {
    return (
      <div class="notice empty" role="alert">
        <h3>Your credential may not see {what}</h3>
        <p>{error.message}</p>
      </div>
    );
  }
  return (
    <div class="notice failed" role="alert">
      <h3>The server did not answer with {what}</h3>
      <p>{error.message}</p>
      {again !== undefined && (
        <button type="button" class="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Shows what is read once it is there, and says what is so until then. */
export function Shown<Value>({
  loaded,
  what,
  again,
  children,
}: {
  loaded: Loaded<Value>;
  what: string;
  again?: () => void;
  children: (value: Value) => JSX.Element;
}): JSX.Element {
  switch (loaded.kind) {
    case 'loading':
      return <Loading what={what} />;
    case 'failed':
      return <Failure error={loaded.error} what={what} again={again} />;
    case 'loaded':
      return children(loaded.value);
  }
}
