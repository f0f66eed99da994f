// What is looked at full screen, and what lies before and behind it.

import { carries } from '../../model/media';
import type { World } from '../../model/world';
import type { Message } from '../../port/types';

/** A Source is where one leafs: a conversation, or what was gathered of it. */
export interface Source {
	/** oldest first */
	messages: readonly Message[];
	/** older fetches what is before these */
	older: () => Promise<void>;
	/** more says that there is something before these */
	readonly more?: boolean;
}

const near = 15_000; // ms within which a text behind a picture is what was said about it

export class Viewing {
	#chat = $state('');
	#id = $state('');
	#source = $state.raw<Source | undefined>(undefined);
	#world: World | undefined;

	readonly #all = $derived((this.#source?.messages ?? []).filter((m) => m.chat === this.#chat && carries(m, 'image', 'video')));
	readonly #at = $derived(this.#all.findIndex((m) => m.id === this.#id));
	/** message is undefined while nothing is looked at */
	readonly message = $derived<Message | undefined>(this.#all[this.#at]);
	readonly earlier = $derived(this.#at > 0 || (this.#at === 0 && Boolean(this.#source?.more)));
	readonly later = $derived(this.#at >= 0 && this.#at < this.#all.length - 1);

	start(world: World) {
		this.#world = world;
	}

	/** open looks at a message's picture; without a source one leafs through the conversation. */
	open({ chat, id }: Message, source?: Source) {
		this.#chat = chat;
		this.#id = id;
		this.#source = source ?? conversationOf(this.#world!, chat);
	}

	close() {
		this.#id = '';
		this.#source = undefined;
	}

	/** leaf goes to the picture before (-1) or behind (1) this one. */
	async leaf(by: -1 | 1) {
		if (by < 0 && this.#at === 0) await this.#source?.older();
		const next = this.#all[this.#at + by];
		if (next) this.#id = next.id;
	}

	/** caption is what was said about it: with it, or, by programs that do not tell, right behind it by the same person. */
	caption(): string {
		const m = this.message;
		if (!m || m.text || m.file?.text) return m?.text || m?.file?.text || '';
		const all = this.#source?.messages ?? [];
		const next = all[all.findIndex((x) => x.id === m.id) + 1];
		const close = next && next.sender === m.sender && Date.parse(next.time) - Date.parse(m.time) < near;
		return close && !next.file && !next.reply && !next.retracted && !next.notice ? (next.text ?? '') : '';
	}
}

function conversationOf({ conversations }: World, chat: string): Source {
	const conversation = conversations.of(chat);
	return {
		get messages() {
			return conversation.messages;
		},
		get more() {
			return conversation.older;
		},
		older: () => conversation.loadOlder(),
	};
}

export const viewing = new Viewing();
