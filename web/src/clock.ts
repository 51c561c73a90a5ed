import { signal, type ReadonlySignal } from '@preact/signals';

const ticking = signal(performance.now());

/** The browser's steady clock in milliseconds, told anew each second while the page is seen. */
export const tick: ReadonlySignal<number> = ticking;

setInterval(() => {
  if (!document.hidden) ticking.value = performance.now();
}, 1_000);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) ticking.value = performance.now();
});
