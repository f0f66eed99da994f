// One stop of the tab key for a whole list; the arrows lead through it.

import type { Attachment } from 'svelte/attachments';

/** roving leads the focus through the elements that match, by arrows, Home and End. */
export function roving(selector: string): Attachment<HTMLElement> {
	return (list) => {
		const step: Record<string, (at: number, last: number) => number> = {
			ArrowDown: (at, last) => Math.min(at + 1, last),
			ArrowUp: (at) => Math.max(at - 1, 0),
			Home: () => 0,
			End: (_, last) => last,
		};
		function key(e: KeyboardEvent) {
			const to = step[e.key];
			const own = (e.target as HTMLElement).matches('input, textarea, select'); // their keys are their own
			if (!to || own || e.defaultPrevented /* by a list inside: a menu in a message */ || e.altKey || e.ctrlKey || e.metaKey) return;
			const all = [...list.querySelectorAll<HTMLElement>(selector)];
			const at = all.findIndex((x) => x === document.activeElement || x.contains(document.activeElement));
			const next = all[to(at, all.length - 1)];
			if (!next) return;
			e.preventDefault();
			next.focus();
			next.scrollIntoView({ block: 'nearest' });
		}
		list.addEventListener('keydown', key);
		return () => list.removeEventListener('keydown', key);
	};
}
