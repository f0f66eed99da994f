// One question to the engine after another, the last of which counts.

import { failed, type Engine } from '../../port/engine';
import type { Failure, Message } from '../../port/types';

const settle = 250; // ms without a letter before it is asked
const most = 100;

export class Finding {
	/** hits are newest first; undefined as long as nothing was asked */
	hits = $state.raw<readonly Message[] | undefined>(undefined);
	failure = $state.raw<Failure | undefined>(undefined);
	#last = 0;
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(
		private readonly engine: Engine,
		private readonly chat = '',
	) {}

	/** words asks when writing has settled; too few are no question. */
	words(text: string) {
		clearTimeout(this.#timer);
		const query = text.trim();
		if ([...query].length < 2) return this.#none();
		this.#timer = setTimeout(() => void this.#ask(() => this.engine.do({ do: 'search', query, chat: this.chat || undefined, limit: most })), settle);
	}

	starred() {
		return this.#ask(() => this.engine.do({ do: 'listStarred', chat: this.chat || undefined, limit: 200 }));
	}

	#none() {
		this.#last++;
		this.hits = this.failure = undefined;
	}

	async #ask(question: () => Promise<{ messages: Message[] | null }>) {
		const mine = ++this.#last;
		const answer = await question();
		if (mine !== this.#last) return;
		this.failure = failed(answer);
		this.hits = answer.messages ?? [];
	}
}
