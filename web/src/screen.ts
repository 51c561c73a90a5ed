import { signal, type ReadonlySignal } from '@preact/signals';

const query = matchMedia('(max-width: 720px)');
const matches = signal(query.matches);
query.addEventListener('change', () => {
  matches.value = query.matches;
});

/** Whether the page is as narrow as on a phone. */
export const narrow: ReadonlySignal<boolean> = matches;
