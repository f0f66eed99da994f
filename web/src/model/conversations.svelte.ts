// The messages of the chats that were opened: a window at the newest end, which grows by
// pages to the older side.

import { failed, type Engine } from '../port/engine';
import type { Failure, Message, MessageChanged } from '../port/types';
import type { Chats } from './chats.svelte';
import { joined, placed, without } from './timeline';

const page = 60; // messages that are asked for at once
const kept = 300; // that stay in a conversation which is looked at from its end
const opened = 12; // conversations that are kept

export class Conversation {
	/** messages are oldest first */
	messages = $state.raw<readonly Message[]>([]);
	/** older says that there are older ones than these */
	older = $state(true);
	/** loaded is false while there is only what the snapshot had */
	loaded = $state(false);
	loading = $state(false);
	failure = $state.raw<Failure | undefined>(undefined);

	#port: Engine;

	constructor(
		port: Engine,
		readonly chat: string,
	) {
		this.#port = port;
	}

	of(id: string): Message | undefined {
		return this.messages.find((m) => m.id === id);
	}

	get newest(): Message | undefined {
		return this.messages.at(-1);
	}

	/** load asks for the newest page, once. */
	async load() {
		if (this.loaded) return;
		await this.#ask('', (messages) => {
			this.messages = messages;
			this.loaded = true;
		});
	}

	/** loadOlder asks for the page before the oldest message that is here. */
	async loadOlder() {
		const first = this.messages[0];
		if (!this.loaded || !this.older || !first) return;
		await this.#ask(first.id, (messages) => (this.messages = joined(messages, this.messages)));
	}

	/** reach loads older pages until a message is here, and says whether it is. */
	async reach(id: string, pages = 40): Promise<boolean> {
		for (let i = 0; i < pages && !this.of(id) && this.older; i++) {
			const had = this.messages.length;
			await this.loadOlder();
			if (this.messages.length === had) break;
		}
		return Boolean(this.of(id));
	}

	/** trim lets go of what lies far above, when one looks at the end. */
	trim() {
		if (this.messages.length <= 2 * kept) return;
		this.messages = this.messages.slice(-kept);
		this.older = true;
	}

	changed(change: MessageChanged) {
		if (this.loaded || this.messages.length) this.messages = placed(this.messages, change, this.loaded && !this.older);
	}

	gone(id: string) {
		this.messages = without(this.messages, id);
	}

	/** stale has the newest page asked for again: another engine may know more. */
	stale() {
		this.loaded = false;
	}

	async #ask(before: string, take: (messages: Message[]) => void) {
		if (this.loading) return;
		this.loading = true;
		const answer = await this.#port.do({ do: 'history', chat: this.chat, before, limit: page });
		this.loading = false;
		this.failure = failed(answer);
		if (this.failure) return;
		this.older = Boolean(answer.more);
		take(answer.messages ?? []);
	}
}

export class Conversations {
	#all = new Map<string, Conversation>(); // the one opened last stands last
	#port: Engine;
	#chats: Chats;

	constructor(port: Engine, chats: Chats) {
		this.#port = port;
		this.#chats = chats;
		port.on('messageChanged', (change) => this.#all.get(change.message.chat)?.changed(change));
		port.on('messageGone', ({ chat, message }) => this.#all.get(chat)?.gone(message));
	}

	/** of is the conversation of a chat, which begins to load. */
	of(chat: string): Conversation {
		const c = this.#all.get(chat) ?? new Conversation(this.#port, chat);
		this.#all.delete(chat);
		this.#all.set(chat, c);
		for (const old of this.#all.keys()) if (this.#all.size > opened) this.#all.delete(old);
		if (this.#chats.loaded) void c.load();
		return c;
	}

	/** again has all of them ask an engine that is new. */
	again() {
		for (const c of this.#all.values()) {
			c.stale();
			void c.load();
		}
	}

	paint(screens: Record<string, Message[]>) {
		for (const [chat, messages] of Object.entries(screens)) {
			const c = this.#all.get(chat) ?? new Conversation(this.#port, chat);
			this.#all.set(chat, c);
			if (!c.loaded) c.messages = messages;
		}
	}

	/** screens is what the snapshot keeps: the end of those opened last. */
	screens(): Record<string, Message[]> {
		return Object.fromEntries([...this.#all].slice(-6).map(([chat, c]) => [chat, c.messages.slice(-40)]));
	}
}
