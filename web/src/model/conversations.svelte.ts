// The messages of the chats that were opened: a window, which mostly ends with the newest. Who
// reads on has it moved by pages: what comes in at one side goes at the other, so that a
// conversation of any length is as light as a short one.

import { failed, type Engine } from '../port/engine';
import type { Failure, History, Message, MessageChanged, Page } from '../port/types';
import { followed, joined, placed, without } from './timeline';

const page = 60; // messages that are asked for at once
const kept = 300; // that stay in a conversation, beside those that are asked for
const opened = 12; // conversations that are kept

export class Conversation {
	/** messages are oldest first */
	messages = $state.raw<readonly Message[]>([]);
	/** older says that there are older ones than these, newer that there are newer ones */
	older = $state(true);
	newer = $state(false);
	/** loaded is false while there is only what the snapshot had */
	loaded = $state(false);
	loading = $state(false);
	failure = $state.raw<Failure | undefined>(undefined);
	/** said counts what was written here */
	said = $state(0);

	#port: Engine;
	#latest: Promise<void> | undefined; // while the newest page is on its way
	#asking: Promise<unknown> | undefined;

	constructor(
		port: Engine,
		readonly chat: string,
	) {
		this.#port = port;
	}

	of(id: string | undefined): Message | undefined {
		return id ? this.messages.find((m) => m.id === id) : undefined;
	}

	/** load asks for the newest page, once; last is what the list of chats knows until it comes. */
	async load(last?: Message) {
		if (this.loaded) return;
		if (last && !this.messages.length) this.messages = [last];
		await this.latest();
	}

	/** latest goes to the newest page, whatever is here. */
	latest(): Promise<void> {
		return (this.#latest ??= this.#ask({}).then((answer) => {
			this.#latest = undefined;
			if (answer) this.#turn(answer, false);
		}));
	}

	/** loadOlder asks for the page before the oldest message that is here. */
	async loadOlder() {
		const before = this.messages[0]?.id;
		if (!this.loaded || !this.older || !before || this.loading) return;
		this.#keep(0, kept);
		const answer = await this.#ask({ before });
		if (!answer) return;
		this.messages = joined(answer.messages ?? [], this.messages);
		this.older = Boolean(answer.more);
	}

	/** loadNewer asks for the page after the newest message that is here. */
	async loadNewer() {
		const after = this.messages.at(-1)?.id;
		if (!this.loaded || !this.newer || !after || this.loading) return;
		this.#keep(-kept);
		const answer = await this.#ask({ after });
		if (!answer) return;
		this.messages = followed(this.messages, answer.messages ?? []);
		this.newer = Boolean(answer.newer);
	}

	/** reach has a message here, with those around it, and says whether it is. */
	async reach(id: string): Promise<boolean> {
		if (this.of(id)) return true;
		const answer = await this.#ask({ around: id });
		if (answer?.messages?.some((m) => m.id === id)) this.#turn(answer, Boolean(answer.newer));
		return Boolean(this.of(id));
	}

	/** trim lets go of what lies far above, when one looks at the end. */
	trim() {
		if (!this.newer && this.messages.length > 2 * kept) this.#keep(-kept);
	}

	/** known asks again where the first time failed: of who comes by an invitation the chat is opened
	 * before the engine has it. */
	known() {
		if (this.failure && !this.loading) void this.load();
	}

	changed(change: MessageChanged) {
		if (change.new && change.message.mine && change.message.delivery === 'pending') this.said++;
		if (!this.loaded && !this.messages.length) return;
		const at = { whole: this.loaded && !this.older, end: !this.newer };
		this.messages = placed(this.messages, change, at);
	}

	gone(id: string) {
		this.messages = without(this.messages, id);
	}

	cleared() {
		this.messages = [];
		this.older = this.newer = false;
	}

	/** stale has the newest page asked for again: another engine may know more. */
	stale() {
		this.loaded = false;
	}

	// keep lets go of all but a part. It is drawn before a page comes in at the other side: the
	// list finds its place again by what has come or gone at one of them.
	#keep(start: number, end?: number) {
		const part = this.messages.slice(start, end);
		if (part.length === this.messages.length) return;
		if (part[0] !== this.messages[0]) this.older = true;
		if (part.at(-1) !== this.messages.at(-1)) this.newer = true;
		this.messages = part;
	}

	#turn({ messages, more }: Page, newer: boolean) {
		this.messages = messages ?? [];
		this.older = Boolean(more);
		this.newer = newer;
		this.loaded = true;
	}

	// ask asks for one page after the other.
	async #ask(where: Partial<Pick<History, 'before' | 'after' | 'around'>>): Promise<Page | undefined> {
		while (this.#asking) await this.#asking;
		this.loading = true;
		const asking = this.#port.do({ do: 'history', chat: this.chat, limit: page, ...where });
		this.#asking = asking;
		const answer = await asking;
		this.#asking = undefined;
		this.loading = false;
		this.failure = failed(answer);
		return this.failure ? undefined : answer;
	}
}

export class Conversations {
	#all = new Map<string, Conversation>(); // the one opened last stands last
	#port: Engine;

	constructor(port: Engine) {
		this.#port = port;
		port.on('messageChanged', (change) => this.#all.get(change.message.chat)?.changed(change));
		port.on('chatChanged', ({ chat }) => this.#all.get(chat.address)?.known());
		port.on('messageGone', ({ chat, message }) => this.#all.get(chat)?.gone(message));
		port.on('chatCleared', ({ address }) => this.#all.get(address)?.cleared());
	}

	/** of is the conversation of a chat; load() has it ask for its messages. */
	of(chat: string): Conversation {
		const c = this.#all.get(chat) ?? new Conversation(this.#port, chat);
		this.#all.delete(chat);
		this.#all.set(chat, c);
		for (const old of this.#all.keys()) if (this.#all.size > opened) this.#all.delete(old);
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
		const atEnd = [...this.#all].filter(([, c]) => !c.newer);
		return Object.fromEntries(atEnd.slice(-6).map(([chat, c]) => [chat, c.messages.slice(-40)]));
	}
}
