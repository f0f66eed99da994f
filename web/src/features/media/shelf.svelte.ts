// All files of a chat, gathered page by page from its history, newest first to come.

import { failed, type Engine } from '../../port/engine';
import { carries, type Kind } from '../../model/media';
import type { Message } from '../../port/types';
import { without } from '../../model/timeline';

const page = 200;
const pages = 10; // that are read at once, at most, to find some more

export class Shelf {
	/** messages with files, oldest first; what was said right behind one stands there too */
	messages = $state.raw<readonly Message[]>([]);
	more = $state(true);
	loading = $state(false);
	wrong = $state(false);
	#before = ''; // the oldest message that was read
	#port: Engine;

	constructor(
		port: Engine,
		readonly chat: string,
	) {
		this.#port = port;
	}

	/** watch keeps it as the chat is; the result ends that. */
	watch(): () => void {
		const ends = [
			this.#port.on('messageChanged', ({ message, new: fresh, late }) => {
				if (message.chat === this.chat && this.#before) this.#changed(message, Boolean(fresh && !late));
			}),
			this.#port.on('messageGone', ({ chat, message }) => {
				if (chat === this.chat) this.messages = without(this.messages, message);
			}),
			this.#port.on('chatCleared', ({ address }) => {
				if (address === this.chat) this.messages = [];
			}),
		];
		return () => ends.forEach((end) => end());
	}

	/** older reads on until there are more files of these kinds, or nothing older. */
	older = async (...kinds: Kind[]) => {
		if (this.loading || !this.more) return;
		this.loading = true;
		const wanted = kinds.length ? kinds : (['image', 'video'] as Kind[]);
		for (let i = 0, found = false; i < pages && this.more && !found; i++) found = await this.#page(wanted);
		this.loading = false;
	};

	#changed(message: Message, fresh: boolean) {
		const at = this.messages.findIndex((m) => m.id === message.id);
		if (at >= 0) this.messages = this.messages.with(at, message);
		else if (fresh && message.file) this.messages = [...this.messages, message];
	}

	async #page(wanted: Kind[]): Promise<boolean> {
		const answer = await this.#port.do({ do: 'history', chat: this.chat, limit: page, ...(this.#before ? { before: this.#before } : {}) });
		this.wrong = Boolean(failed(answer));
		const all = answer.messages ?? [];
		this.more = !this.wrong && Boolean(answer.more) && all.length > 0;
		this.#before = all[0]?.id ?? this.#before;
		this.messages = [...all.filter((m, i) => m.file || all[i - 1]?.file), ...this.messages];
		return this.wrong || all.some((m) => carries(m, ...wanted));
	}
}
