import type { OptionSpec } from '../options.ts';
import { flag } from '../options.ts';

/** The option of every command that shows values. */
export const SHOW_SENSITIVE: { readonly showSensitive: OptionSpec<boolean> } = {
  showSensitive: flag('show secrets instead of masking them', { environment: false }),
};
