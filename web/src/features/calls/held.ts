// A window that speaks has a lock for as long as it is there: by it the others know when it
// has gone in the midst of a call, however that was.

const lockOf = (seat: string) => `mirsal seat ${seat}`;

/** keeps takes the lock of this window's seat. */
export const keeps = (seat: string) => navigator.locks?.request(lockOf(seat), () => new Promise(() => {})).catch(() => {});

/** gone tells when the window of a seat is there no more; the result ends the waiting. */
export function gone(seat: string, tell: () => void): () => void {
	const stop = new AbortController();
	navigator.locks?.request(lockOf(seat), { signal: stop.signal }, tell).catch(() => {});
	return () => stop.abort();
}
