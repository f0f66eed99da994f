// A finger that stays on something. Mice and keyboards have other ways to the same.

import type { Attachment } from 'svelte/attachments';

const long = 450; // ms, a little less than browsers take for a menu of their own
const still = 10; // px by which it may move

/** hold runs when a finger stays on an element, but for links, which browsers have a menu for. */
export function hold(run: () => void): Attachment<HTMLElement> {
	return (element) => {
		let timer: ReturnType<typeof setTimeout> | undefined;
		let from: { x: number; y: number } | undefined;
		const drop = () => {
			clearTimeout(timer);
			from = undefined;
		};
		const held = () => {
			drop();
			navigator.vibrate?.(10);
			swallow(element.ownerDocument);
			run();
		};
		const ears: { [name in 'pointerdown' | 'pointermove' | 'pointerup' | 'pointercancel' | 'contextmenu']: (e: PointerEvent) => void } = {
			pointerdown(e) {
				drop();
				if (e.pointerType !== 'touch' || !e.isPrimary || (e.target as Element).closest('a, input, [popover]')) return;
				from = { x: e.clientX, y: e.clientY };
				timer = setTimeout(held, long);
			},
			pointermove(e) {
				if (from && Math.hypot(e.clientX - from.x, e.clientY - from.y) > still) drop();
			},
			pointerup: drop,
			pointercancel: drop,
			contextmenu(e) {
				if (e.pointerType !== 'touch' || (e.target as Element).closest('a')) return;
				e.preventDefault();
				if (from) held();
			},
		};
		for (const [name, ear] of Object.entries(ears)) element.addEventListener(name, ear as EventListener);
		return () => {
			drop();
			for (const [name, ear] of Object.entries(ears)) element.removeEventListener(name, ear as EventListener);
		};
	};
}

// swallow takes the click that some browsers make of the finger's going up.
function swallow(page: Document) {
	const stop = (e: Event) => {
		e.preventDefault();
		e.stopPropagation();
	};
	page.addEventListener('click', stop, { capture: true });
	page.addEventListener('pointerdown', () => page.removeEventListener('click', stop, { capture: true }), { capture: true, once: true });
}
