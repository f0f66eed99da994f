import { m } from '../../i18n';
import { preview } from '../../i18n/words';
import { muted } from '../../model/chats.svelte';
import { shown } from '../../model/contacts.svelte';
import { written } from '../../model/route.svelte';
import type { World } from '../../model/world';
import type { Call, Chat, Message, MessageChanged } from '../../port/types';
import { plain } from '../../ui/bidi';
import { number } from '../../ui/time';
import { Choices } from './choices.svelte';
import { callWords, tagOf } from './ringing';
import { chime } from './sound';

const looked = 'mirsal looked at'; // a lock that a window has while a person looks at it
const telling = 'mirsal telling'; // a lock of who tells
const told = 'mirsal told'; // the messages that were told of, for all windows
const most = 50; // of these
const longest = 200; // characters of a message
const calm = 300; // ms; what was read is looked for once in so long

/** Shown is what a notification of ours carries. */
interface Shown {
	chat: string;
	message: string;
	/** where it is in the address, for a window that is to be opened */
	at: string;
	/** it is of a call, and stays until that says otherwise */
	call?: string;
}

/** wants says whether a message is one to be told of, by whoever does not look. */
export function wants({ message, new: fresh, late }: MessageChanged, chat: Chat | undefined): boolean {
	if (!fresh || late || message.mine || message.notice || message.retracted || !chat) return false;
	return !muted(chat) && !chat.archived && !chat.blocked;
}

/** textOf is what a notification says below the name. A stranger's words are not shown. */
export function textOf(message: Message, chat: Chat, shows: boolean, tag: string): string {
	if (shows) return [...preview(message, chat.room)].slice(0, longest).join('');
	const count = Math.max(1, chat.unread ?? 1);
	return m.notify_new({ count, n: number(count, tag) });
}

/** once says that no window has told of a message yet, and that this one does. */
export function once(id: string): boolean {
	try {
		const before = JSON.parse(localStorage.getItem(told) ?? '[]') as unknown;
		const list = Array.isArray(before) ? before : [];
		if (list.includes(id)) return false;
		localStorage.setItem(told, JSON.stringify([...list, id].slice(-most)));
	} catch {
		// a window that keeps nothing tells by itself
	}
	return true;
}

export class Notifier {
	readonly choices = new Choices();
	allowed = $state<NotificationPermission>(globalThis.Notification?.permission ?? 'denied');
	/** able says that this browser can show notifications at all */
	readonly able = Boolean(globalThis.Notification && navigator.serviceWorker);
	#world!: World;
	#looks: (() => void) | undefined; // ends that this window is looked at
	#over: Promise<unknown> = Promise.resolve(); // once that has ended
	#sweep: ReturnType<typeof setTimeout> | undefined;

	start(world: World) {
		this.#world = world;
		this.#look();
		for (const name of ['focus', 'blur'] as const) addEventListener(name, () => this.#look());
		document.addEventListener('visibilitychange', () => this.#look());
		world.engine.on('messageChanged', (change) => void this.#changed(change));
		world.engine.on('callChanged', ({ call }) => void this.#called(call));
		for (const name of ['chatChanged', 'chatGone', 'chatCleared', 'messageGone'] as const) world.engine.on(name, () => this.#later());
		navigator.serviceWorker?.addEventListener('message', ({ data }) => this.#opens(data));
		$effect.root(() => {
			$effect(() => badge(world.chats.unread));
			$effect(() => void (world.chats.loaded && this.#later()));
		});
	}

	/** ask has the browser ask the person, who has pressed for that. */
	async ask(): Promise<boolean> {
		this.allowed = await Notification.requestPermission();
		return this.allowed === 'granted';
	}

	#looking = () => document.visibilityState === 'visible' && document.hasFocus();

	// the lock goes with the window, however that ends
	#look() {
		if (this.able) this.allowed = Notification.permission; // it changes in the browser's own settings
		if (!this.#looking()) {
			this.#looks?.();
			this.#looks = undefined;
		} else if (!this.#looks) {
			const over = new Promise<void>((end) => (this.#looks = end));
			this.#over = navigator.locks.request(looked, { mode: 'shared' }, () => over).catch(() => {});
		}
	}

	async #changed(change: MessageChanged) {
		const { message } = change;
		if (message.retracted) return this.#later();
		if (!this.choices.on || this.allowed !== 'granted' || !wants(change, this.#world.chats.of(message.chat))) return;
		await navigator.locks.request(telling, () => this.#tell(message));
	}

	// seen says that a window of ours is looked at.
	async #seen(): Promise<boolean> {
		if (this.#looking()) return true;
		await this.#over; // or what this window had a moment ago is taken for another's
		const { held = [] } = await navigator.locks.query();
		return this.#looking() || held.some((l) => l.name === looked);
	}

	// The sound of a call is its own: every window rings.
	async #called(call: Call) {
		if (!this.choices.on || this.allowed !== 'granted') return;
		await navigator.locks.request(telling, async () => {
			const registration = await navigator.serviceWorker.getRegistration();
			const words = callWords(call);
			const there = (await registration?.getNotifications({ tag: tagOf(call) })) ?? [];
			if (!words || (there.length === 0 && (await this.#seen()))) return there.forEach((n) => n.close());
			if (!registration?.active || !once(`${tagOf(call)} ${call.state}`)) return;
			const { settings, contacts, chats } = this.#world;
			const name = call.link ? call.chat : plain(chats.of(call.chat)?.name ?? shown(contacts.of(call.chat) ?? { address: call.chat }));
			const data: Shown = { chat: call.chat, message: '', at: written({ chat: call.chat }), call: call.id };
			const look = { icon: '/icon-192.png', lang: settings.locale, dir: settings.direction, silent: true, tag: tagOf(call), renotify: true, requireInteraction: call.state === 'incoming', data };
			await registration.showNotification(name, { ...look, body: words });
		});
	}

	async #tell(message: Message) {
		if (await this.#seen()) return;
		const registration = await navigator.serviceWorker.getRegistration();
		const chat = this.#world.chats.of(message.chat); // with what was counted since
		if (!registration?.active || !chat || !once(message.id)) return;
		const { settings, contacts } = this.#world;
		const known = chat.room || contacts.of(chat.address)?.state === 'contact';
		const data: Shown = { chat: chat.address, message: message.id, at: written({ chat: chat.address }) };
		const look = { icon: '/icon-192.png', lang: settings.locale, dir: settings.direction, silent: true, tag: chat.address, renotify: true, data };
		await registration.showNotification(plain(chat.name), { ...look, body: textOf(message, chat, this.choices.text && known, settings.tag) });
		if (this.choices.sound) await chime();
	}

	#later() {
		this.#sweep ??= setTimeout(() => {
			this.#sweep = undefined;
			void this.#tidy();
		}, calm);
	}

	// What was read, here or elsewhere, and what is not there any more is not told of further.
	async #tidy() {
		const { chats } = this.#world;
		if (!chats.loaded) return;
		const registration = await navigator.serviceWorker?.getRegistration();
		for (const n of (await registration?.getNotifications()) ?? []) {
			const data = n.data as Shown | null;
			if (data?.call) continue;
			const chat = chats.of(data?.chat);
			if (!chat?.unread || muted(chat)) n.close();
		}
	}

	#opens(data: unknown) {
		const { opens } = (data ?? {}) as { opens?: unknown };
		if (typeof opens === 'string' && this.#world.chats.of(opens)) this.#world.route.open(opens);
	}
}

// badge is the number on the sign of an app that is installed.
function badge(count: number) {
	const change = count ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.();
	void change?.catch(() => {});
}

export const notifier = new Notifier();
