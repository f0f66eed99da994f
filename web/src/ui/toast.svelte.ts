// What was just done, said for a few seconds, with a way to take it back.

export interface Said {
	text: string;
	label?: string;
	run?: () => void;
}

const long = 6000; // ms

class Toast {
	said = $state.raw<Said | undefined>(undefined);
	#timer: ReturnType<typeof setTimeout> | undefined;

	say(text: string, label?: string, run?: () => void) {
		this.said = { text, label, run };
		this.stay(false);
	}

	/** stay keeps it for as long as somebody points at it. */
	stay(on: boolean) {
		clearTimeout(this.#timer);
		if (!on) this.#timer = setTimeout(() => (this.said = undefined), long);
	}

	back() {
		const { run } = this.said ?? {};
		this.said = undefined;
		run?.();
	}
}

export const toast = new Toast();
