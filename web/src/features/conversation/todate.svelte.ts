// Looking for the first message of a day. One that lies far back is read towards in steps, and
// one may change one's mind meanwhile.

import { failed, type Engine } from '../../port/engine';
import type { Failure } from '../../port/types';

export class ToDate {
	/** looking is true as long as it is asked for, back is how far was read */
	looking = $state(false);
	back = $state<string | undefined>(undefined);
	failure = $state.raw<Failure | undefined>(undefined);
	#last = 0;

	constructor(
		private readonly engine: Engine,
		private readonly chat: string,
	) {}

	/** find is the ID of the first message from a moment on, the newest where there is none; undefined where it was given up or has failed. */
	async find(at: Date): Promise<string | undefined> {
		const mine = ++this.#last;
		this.looking = true;
		this.back = this.failure = undefined;
		for (;;) {
			const page = await this.engine.do({ do: 'history', chat: this.chat, at: at.toISOString(), limit: 1 });
			if (mine !== this.#last) return undefined;
			this.failure = failed(page);
			const further = page.back && page.back !== this.back; // or it would go round for ever
			this.back = page.back;
			if (further && !this.failure) continue;
			this.looking = false;
			return this.failure ? undefined : page.around;
		}
	}

	cancel() {
		this.#last++;
		this.looking = false;
		this.back = undefined;
	}
}
