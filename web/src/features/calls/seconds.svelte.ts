// seconds() is the present, moving on once a second, for as long as somebody shows it.

import { createSubscriber } from 'svelte/reactivity';

const ticking = createSubscriber((update) => {
	const timer = setInterval(update, 1000);
	return () => clearInterval(timer);
});

export function seconds(): number {
	ticking();
	return Date.now();
}
