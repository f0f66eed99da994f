// The list of chats, and starting a new one.

import type { Feature } from '../../feature';
import { m } from '../../i18n';
import { muted } from '../../model/chats.svelte';
import { failed, type Engine } from '../../port/engine';
import type { Chat } from '../../port/types';
import { toast } from '../../ui/toast.svelte';
import ChatList from './ChatList.svelte';

async function archive(engine: Engine, chat: Chat, on: boolean) {
	const put = (on: boolean) => engine.do({ do: 'archive', chat: chat.address, on });
	if (failed(await put(on))) return;
	toast.say(on ? m.archive_done() : m.unarchive_done(), m.undo(), () => void put(!on));
}

export const chatList: Feature = {
	name: 'chats',
	list: { now: ChatList },
	pages: { new: { later: () => import('./NewChat.svelte') }, archived: { later: () => import('./Archived.svelte') } },
	chatActions: ({ engine }, chat) => [
		{ label: chat.pinned ? m.unpin() : m.pin(), icon: 'pin', run: () => void engine.do({ do: 'pin', chat: chat.address, on: !chat.pinned }) },
		{ label: muted(chat) ? m.unmute() : m.mute(), icon: 'muted', run: () => void engine.do({ do: 'mute', chat: chat.address, on: !muted(chat) }) },
		{ label: chat.archived ? m.unarchive() : m.archive(), icon: 'archive', run: () => void archive(engine, chat, !chat.archived) },
	],
	appActions: ({ route, chats }) => [
		{ label: m.chat_new(), icon: 'newChat', run: () => route.turn('new') },
		...(chats.archived.length ? [{ label: m.archived(), icon: 'archive' as const, run: () => route.turn('archived') }] : []),
	],
};
