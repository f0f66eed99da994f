// Where the focus goes when the screen turns: into what has opened, and back to what it was
// opened from. (Dialogs and menus do it of themselves.)

const reachable = 'a[href], button, input, textarea, select, [tabindex]';

/** Finds is how to find an element again, which may have been drawn anew since. */
type Finds = () => HTMLElement | undefined;

const seen = (e: Element | null | undefined): e is HTMLElement => e instanceof HTMLElement && e.isConnected && e !== document.body && (e.checkVisibility?.() ?? true);

const nameOf = (e: Element) => e.getAttribute('href') ?? e.getAttribute('aria-label') ?? e.textContent?.trim() ?? '';

function finds(e: Element | null): Finds | undefined {
	if (!seen(e)) return undefined;
	const [name, tag] = [nameOf(e), e.tagName];
	return () => (seen(e) ? e : [...document.querySelectorAll<HTMLElement>(reachable)].find((x) => x.tagName === tag && nameOf(x) === name && seen(x)));
}

class Places {
	#were = new Map<string, Finds>();
	#now = '';

	/** turn is from a place, where what has the focus is remembered, to another; '' is what stands in place of all, and nothing is gone back to over it. */
	turn(from: string | undefined, to: string) {
		this.#now = to;
		if (!from || !to) return this.#were.clear();
		const here = finds(document.activeElement);
		if (here) this.#were.set(from, here);
		else this.#were.delete(from);
	}

	/** arrive takes the focus to where it was in this place, or to its beginning. */
	arrive(beginning: HTMLElement | null | undefined) {
		const to = this.#were.get(this.#now)?.() ?? beginning;
		to?.focus({ preventScroll: true });
	}

	/** settle does so where the focus is lost. */
	settle(beginning: HTMLElement | null | undefined) {
		if (!seen(document.activeElement)) this.arrive(beginning);
	}
}

export const places = new Places();
