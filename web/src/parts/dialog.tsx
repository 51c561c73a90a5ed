import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import * as dialog from '@zag-js/dialog';
import { normalizeProps, useMachine } from '@zag-js/preact';

/** Something to answer before anything else: it keeps the focus, ends with Escape, and gives the focus back. */
export function Dialog({
  title,
  close,
  children,
  wide = false,
}: {
  title: string;
  close: () => void;
  children: ComponentChildren;
  wide?: boolean;
}): JSX.Element | null {
  const service = useMachine(dialog.machine, {
    id: useId(),
    open: true,
    onOpenChange: ({ open }) => {
      if (!open) close();
    },
  });
  const parts = dialog.connect(service, normalizeProps);
  return (
    <>
      <div {...parts.getBackdropProps()} class="backdrop" />
      <div {...parts.getPositionerProps()} class="dialog-place">
        <div {...parts.getContentProps()} class={wide ? 'dialog wide' : 'dialog'}>
          <header>
            <h2 {...parts.getTitleProps()}>{title}</h2>
            <button {...parts.getCloseTriggerProps()} class="icon-button" aria-label="Close">
              <span aria-hidden="true">✕</span>
            </button>
          </header>
          {children}
        </div>
      </div>
    </>
  );
}
