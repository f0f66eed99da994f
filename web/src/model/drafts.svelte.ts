// What is begun and not sent, by chat.

export interface Draft {
	text: string;
	/** the message that is answered, or that is corrected */
	reply?: string;
	corrects?: string;
}

const nothing: Draft = { text: '' };

export class Drafts {
	#byChat = $state.raw<Readonly<Record<string, Draft>>>({});

	of(chat: string): Draft {
		return this.#byChat[chat] ?? nothing;
	}

	set(chat: string, draft: Draft) {
		const { [chat]: _, ...others } = this.#byChat;
		const empty = !draft.text.trim() && !draft.reply && !draft.corrects;
		this.#byChat = empty ? others : { ...others, [chat]: draft };
	}

	/** change changes some of it, text or what it answers. */
	change(chat: string, some: Partial<Draft>) {
		this.set(chat, { ...this.of(chat), ...some });
	}

	all(): Record<string, Draft> {
		return this.#byChat;
	}

	paint(drafts: Record<string, Draft>) {
		this.#byChat = { ...drafts, ...this.#byChat };
	}
}
