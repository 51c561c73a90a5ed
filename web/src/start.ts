import { signal, type ReadonlySignal } from '@preact/signals';
import type { ApiError } from '../../src/api/error.ts';
import { asApiError } from './api.ts';
import { resumeSession } from './session.ts';

const RETRY_MS = 3_000;
const failing = signal<ApiError | null>(null);

/** Why the server could not be asked who is signed in; null where it could. */
export const startProblem: ReadonlySignal<ApiError | null> = failing;

/** Asks who is signed in until the server answers. */
export async function startSession(): Promise<void> {
  for (;;) {
    try {
      await resumeSession();
      failing.value = null;
      return;
    } catch (fault) {
      const error = asApiError(fault);
      failing.value = error.status === 401 ? null : error;
      if (error.status === 401) return;
      await new Promise((resolve) => {
        setTimeout(resolve, RETRY_MS);
      });
    }
  }
}
