// now() is the present as components see it: it moves on once a minute.

import { createSubscriber } from 'svelte/reactivity';

const ticking = createSubscriber((update) => {
	const timer = setInterval(update, 60_000);
	return () => clearInterval(timer);
});

export function now(): Date {
	ticking();
	return new Date();
}
