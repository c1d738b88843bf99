/** What a mode would do with a campaign, beside what it has now. */
import type { Campaign, PacingMode } from '../api/types.ts';

export function ModePreview(_props: { readonly campaign: Campaign; readonly mode: PacingMode }) {
  return null;
}
