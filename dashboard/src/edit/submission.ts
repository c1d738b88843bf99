/** Sending a form: one at a time, with the server's refusal kept for the field that it names. */
import { useState } from 'preact/hooks';
import { ApiError, messageOf } from '../api/client.ts';

export interface Refusal {
  /** As the API names it, or null for the form as a whole. */
  readonly field: string | null;
  readonly message: string;
}

export interface Submission {
  readonly isBusy: boolean;
  readonly refusal: Refusal | null;
  /** Runs an action; its refusal is kept. */
  readonly run: (action: () => Promise<void>) => void;
  readonly refuse: (refusal: Refusal) => void;
  /** What was refused of a field, or of a part of it. */
  readonly problemOf: (field: string) => string | null;
  /** What was refused and belongs to none of these fields. */
  readonly otherProblem: (fields: readonly string[]) => string | null;
}

export function useSubmission(): Submission {
  const [isBusy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const isOf = (field: string) =>
    refusal?.field === field ||
    refusal?.field?.startsWith(`${field}[`) === true ||
    refusal?.field?.startsWith(`${field}.`) === true;
  return {
    isBusy,
    refusal,
    refuse: setRefusal,
    run: (action) => {
      if (isBusy) return;
      setBusy(true);
      setRefusal(null);
      action().then(
        () => setBusy(false),
        (error: unknown) => {
          setBusy(false);
          setRefusal({ field: error instanceof ApiError ? error.field : null, message: messageOf(error) });
        },
      );
    },
    problemOf: (field) => (isOf(field) ? (refusal?.message ?? null) : null),
    otherProblem: (fields) => (refusal === null || fields.some(isOf) ? null : refusal.message),
  };
}
