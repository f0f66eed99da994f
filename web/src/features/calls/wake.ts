/** awake keeps the screen from going dark while there is something to see; the result ends it. */
export function awake(): () => void {
	let over = false;
	const asked = navigator.wakeLock?.request('screen').catch(() => undefined);
	void asked?.then((lock) => over && void lock?.release());
	return () => {
		over = true;
		void asked?.then((lock) => lock?.release());
	};
}
