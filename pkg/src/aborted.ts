// Signals, as the oldest browsers that read this syntax have them: some lack `throwIfAborted` and `reason`.

/** What a caller's wait is rejected with once this signal is aborted. @internal */
export const reasonOf = (signal: AbortSignal): unknown => "reason" in signal ? signal.reason : new DOMException("aborted", "AbortError");

/** @internal */
export function throwIfAborted(signal: AbortSignal | null | undefined): void {
  if (signal?.aborted) throw reasonOf(signal);
}
