// What is begun and not sent, by chat. The engine keeps it over the end of the page.

import type { Engine } from '../port/engine';
import type { Chats } from './chats.svelte';

export interface Draft {
	text: string;
	/** the message that is answered */
	reply?: string;
	/** one's own message that is corrected: for as long as the page is there */
	corrects?: string;
}

const settle = 800; // ms

export class Drafts {
	#byChat = $state.raw<Readonly<Record<string, Draft>>>({}); // what was changed in this page
	#timers = new Map<string, ReturnType<typeof setTimeout>>();
	#port: Engine;
	#chats: Chats;

	constructor(port: Engine, chats: Chats) {
		this.#port = port;
		this.#chats = chats;
	}

	of(chat: string): Draft {
		const kept = this.#chats.of(chat)?.draft;
		return this.#byChat[chat] ?? { text: kept?.text ?? '', reply: kept?.replyTo };
	}

	set(chat: string, draft: Draft) {
		this.#byChat = { ...this.#byChat, [chat]: draft };
		clearTimeout(this.#timers.get(chat));
		this.#timers.set(chat, setTimeout(() => this.#keep(chat), settle));
	}

	/** change changes some of it: the text, or what it answers. */
	change(chat: string, some: Partial<Draft>) {
		this.set(chat, { ...this.of(chat), ...some });
	}

	/** clear is after it was sent. */
	clear(chat: string) {
		this.set(chat, { text: '' });
		this.#keep(chat);
	}

	/** now keeps what has not settled: the page is about to be hidden. */
	now() {
		for (const chat of [...this.#timers.keys()]) this.#keep(chat);
	}

	#keep(chat: string) {
		clearTimeout(this.#timers.get(chat));
		this.#timers.delete(chat);
		const { text, reply, corrects } = this.of(chat);
		const draft = corrects ? { text: '' } : { text, replyTo: reply };
		void this.#port.do({ do: 'draft', chat, ...draft });
	}
}
