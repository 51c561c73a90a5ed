import type { Answer } from '../support/request.ts';
import type { Scene, Trial } from './scene.ts';

/**
 * What came of a request, by its answer and by what the house keeps afterwards. `silent` and `leaked` are right for nobody:
 * answered as done while nothing was, or refused while something was done or told.
 */
export type Verdict = 'done' | 'refused' | 'hidden' | 'left out' | 'silent' | 'leaked' | 'strange';

/** The names by which AWS's services refuse somebody. */
const REFUSALS =
  /(?:AccessDenied|AccessDeniedException|ExpiredToken|ExpiredTokenException|InvalidAccessKeyId|InvalidClientTokenId|SignatureDoesNotMatch|InvalidSignatureException|UnrecognizedClientException|MissingAuthenticationToken\w*)/;

export function verdictOf(of: { scene: Scene; trial: Trial; answer: Answer; changed: boolean }): Verdict {
  const { scene, trial, answer, changed } = of;
  const { proof } = trial;
  const said = answerOf(answer);
  const told =
    proof !== 'changed' &&
    'text' in proof &&
    answer.text.includes(typeof proof.text === 'string' ? proof.text : proof.text(scene));
  if (proof !== 'changed' && 'status' in proof && answer.status === proof.status) return 'done';
  if (said === 'done') {
    if (proof === 'changed') return changed ? 'done' : 'silent';
    if ('status' in proof) return 'strange';
    return told ? 'done' : 'left out';
  }
  return changed || told ? 'leaked' : said;
}

/** What the answer says, whatever is true. */
function answerOf({ status, text }: Answer): 'done' | 'refused' | 'hidden' | 'strange' {
  if (status === 401 || status === 403) return 'refused';
  // Errors of single objects come inside an answer that is well as a whole.
  const code =
    /<(?:Error|Code)>.*?<\/(?:Error|Code)>/s.exec(text)?.[0] ?? /"__type":"[^"]*"/.exec(text)?.[0] ?? '';
  if (REFUSALS.test(code)) return 'refused';
  // An answer to HEAD has no body to tell why.
  if (status === 400 && text === '') return 'refused';
  if (status === 404 || status === 405 || code.includes('ResourceNotFound')) return 'hidden';
  return status < 300 && code === '' ? 'done' : 'strange';
}

/** An answer in a few words, for a failure. */
export function wordOf({ status, text }: Answer): string {
  return `${status} ${text.slice(0, 300)}`;
}
