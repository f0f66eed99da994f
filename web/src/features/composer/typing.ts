// Tells the other side that one is writing, and that one has stopped: each once.

const pause = 5000; // ms without a letter

export class TypingState {
	#said = 'active';
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(private readonly say: (state: 'composing' | 'paused' | 'active') => void) {}

	typed(empty: boolean) {
		clearTimeout(this.#timer);
		this.#tell(empty ? 'active' : 'composing');
		if (!empty) this.#timer = setTimeout(() => this.#tell('paused'), pause);
	}

	/** over is when it was sent, or one went elsewhere. */
	over() {
		clearTimeout(this.#timer);
		this.#tell('active');
	}

	#tell(state: 'composing' | 'paused' | 'active') {
		if (state === this.#said) return;
		this.#said = state;
		this.say(state);
	}
}
