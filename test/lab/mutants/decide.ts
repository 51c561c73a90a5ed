import * as core from '../../../src/core/decide.ts';
import { MUTANTS } from '../../core/rules/exploration/mutants.ts';

export * from '../../../src/core/decide.ts';

/** Which mutant decides: a lab process is that of one, told by its environment. */
const chosen: (typeof MUTANTS)[string] | undefined = MUTANTS[process.env['STATEHOUSE_LAB_MUTANT'] ?? ''];

/** What the engine of a lab with a mutant decides by; the rules themselves where no mutant is chosen. */
export const decide: (typeof MUTANTS)[string] = chosen ?? core.decide;
