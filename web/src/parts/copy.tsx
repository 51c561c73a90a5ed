import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

const TOLD_MS = 1_500;

/** Copies a text, and says that it did. @param what the text is, for screen readers */
export function Copy({ text, what }: { text: string; what: string }): JSX.Element {
  const [told, setTold] = useState('Copy');
  const copy = async (): Promise<void> => {
    // Browsers have a clipboard at https:// and on this machine alone.
    const done = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    setTold(done === true ? 'Copied' : 'Select and copy it');
    setTimeout(() => setTold('Copy'), TOLD_MS);
  };
  return (
    <button type="button" class="button small" aria-label={`${told}: ${what}`} onClick={() => void copy()}>
      {told}
    </button>
  );
}
